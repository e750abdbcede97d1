// Where a test stands between the engine and a provider: the provider itself knows nothing of planned faults.

export type ProviderOperation = "check" | "create" | "read" | "update" | "delete";

/** What is known of a call before it is answered. */
export interface InterceptedCall {
  readonly type: string;
  readonly name: string;
  /** A preview changes nothing. */
  readonly preview?: boolean;
}

/** Answers a call by `act`, or otherwise; `uninitialized` makes the error of what was made and is not ready. */
export type Interceptor = <Result>(
  operation: ProviderOperation,
  call: InterceptedCall,
  act: () => Promise<Result>,
  uninitialized?: (result: Result, message: string) => Error,
) => Promise<Result>;

/** An interceptor of one provider's calls; `signal` is aborted when the engine gives up. */
export type MakeInterceptor = (signal: AbortSignal) => Interceptor;

export const passThrough: MakeInterceptor = () => async (_operation, _call, act) => act();
