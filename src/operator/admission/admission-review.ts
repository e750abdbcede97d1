// AdmissionReview v1 on the wire: what of a request is read, and how an answer is written.
// https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
import { z } from "zod";

const apiVersion = "admission.k8s.io/v1";

const object = z.record(z.string(), z.unknown()).nullish();

const admissionReview = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal("AdmissionReview"),
  request: z.object({
    uid: z.string().min(1),
    /** As the webhook gets the object, after any conversion. */
    kind: z.object({ group: z.string(), version: z.string(), kind: z.string() }),
    subResource: z.string().optional(),
    operation: z.string(),
    name: z.string().optional(),
    namespace: z.string().optional(),
    object,
    oldObject: object,
  }),
});

export type AdmissionRequest = z.output<typeof admissionReview>["request"];

/** Whether a request passes. */
export type AdmissionDecision =
  | {
      readonly allowed: true;
      /** Shown by kubectl, a line each. */
      readonly warnings: readonly string[];
    }
  | {
      readonly allowed: false;
      /** For machines: the reason that status would have. */
      readonly reason: string;
      readonly message: string;
    };

export const allow: AdmissionDecision = Object.freeze({ allowed: true, warnings: [] });

/** The request of a review; undefined where the text is none. */
export function readAdmissionReview(text: string): AdmissionRequest | undefined {
  try {
    return admissionReview.safeParse(JSON.parse(text)).data?.request;
  } catch {
    return undefined;
  }
}

/**
 * The answer to a request. A refusal is 403 Forbidden, not 422 Invalid: `kubectl apply --force` deletes what serves
 * and makes it anew when an update is Invalid.
 */
export function writeAdmissionReview(
  { uid }: Pick<AdmissionRequest, "uid">,
  decision: AdmissionDecision,
): string {
  const { allowed } = decision;
  const response = decision.allowed
    ? { uid, allowed, ...(decision.warnings.length === 0 ? {} : { warnings: decision.warnings }) }
    : {
        uid,
        allowed,
        status: { code: 403, reason: "Forbidden", message: `${decision.reason}: ${decision.message}` },
        auditAnnotations: { reason: decision.reason },
      };
  return JSON.stringify({ apiVersion, kind: "AdmissionReview", response });
}
