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

/** What a webhook thinks of a request. */
export type Opinion =
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

export const welcome: Opinion = Object.freeze({ allowed: true, warnings: [] });

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
export function writeAdmissionReview({ uid }: Pick<AdmissionRequest, "uid">, opinion: Opinion): string {
  const { allowed } = opinion;
  const response = opinion.allowed
    ? { uid, allowed, ...(opinion.warnings.length === 0 ? {} : { warnings: opinion.warnings }) }
    : {
        uid,
        allowed,
        status: { code: 403, reason: "Forbidden", message: `${opinion.reason}: ${opinion.message}` },
        auditAnnotations: { reason: opinion.reason },
      };
  return JSON.stringify({ apiVersion, kind: "AdmissionReview", response });
}
