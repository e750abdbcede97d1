// The network interfaces of a node with EFA, as AWS documents them today. Others still write `efa` on card 0 and
// device 1 on every card, which takes an IP address a card and breaks the routes of the host.

export interface NetworkInterface {
  readonly networkCardIndex: number;
  readonly deviceIndex: number;
  readonly interfaceType: "interface" | "efa-only";
}

/**
 * Card 0 has the node's own address on a plain interface, because an interface that is EFA alone cannot be the
 * primary one, and its EFA beside it as device 1; every further card has nothing but its EFA, as device 0.
 * Source: docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types.html.
 */
export function networkInterfaces(efaDevices: number): readonly NetworkInterface[] {
  const primary = { networkCardIndex: 0, deviceIndex: 0, interfaceType: "interface" } as const;
  const fabric = Array.from(
    { length: efaDevices },
    (_, card) =>
      ({ networkCardIndex: card, deviceIndex: card === 0 ? 1 : 0, interfaceType: "efa-only" }) as const,
  );
  return [primary, ...fabric];
}
