import { expect, test } from "vitest";
import { ifThere, saysNotThere } from "./reading-failure.ts";

test.each([
  "googleapi: Error 404: The resource 'projects/p/zones/z/reservations/r' was not found, notFound",
  "projects/p/regions/us-central1/subnetworks/s not found",
  "googleapi: Error 400: Invalid value for field 'zone': 'us-central1-x'. Unknown zone., invalid",
  'googleapi: Error 400: No valid versions with the prefix "1.34" found., badRequest',
  "operation error EC2: DescribeCapacityReservations, https response error StatusCode: 400, api error InvalidCapacityReservationId.NotFound: The capacity reservation 'cr-1' does not exist.",
  "api error InvalidCapacityReservationId.Malformed: the id is malformed",
  "reading Cloud Control API (AWS::EC2::CapacityReservation) Resource (cr-1): couldn't find resource",
  'finding Region using name "us-eats-1": region not found for name "us-eats-1"',
  "Your query returned no results. Please change your search criteria and try again.",
  'Status=404 Code="ResourceNotFound" Message="The Resource \'Microsoft.Compute/h10\' was not found."',
  'Code="ResourceGroupNotFound" Message="Resource group \'own\' could not be found."',
])("is not there: %s", (message) => {
  expect(saysNotThere(message)).toBe(true);
});

test.each([
  "googleapi: Error 403: Required 'compute.reservations.get' permission for 'projects/p/zones/z/reservations/r', forbidden",
  "googleapi: Error 403: Permission denied on resource project p (or it may not exist)., forbidden",
  "google: could not find default credentials",
  "api error UnauthorizedOperation: You are not authorized to perform this operation.",
  "https response error StatusCode: 403, api error AccessDeniedException: User is not authorized",
  "api error InvalidClientTokenId: The security token included in the request is invalid.",
  "api error ThrottlingException: Rate exceeded",
  "dial tcp: lookup ec2.us-east-1.amazonaws.com: no such host",
  "getaddrinfo ENOTFOUND management.azure.com",
  "googleapi: Error 503: The service is currently unavailable., backendError",
  "context deadline exceeded",
  'Status=403 Code="AuthorizationFailed" Message="The client does not have authorization"',
  'exec: "az": executable file not found in $PATH',
  "something that nobody has met",
])("could not be read: %s", (message) => {
  expect(saysNotThere(message)).toBe(false);
});

test("what is not there is undefined, and every other failure stays one", async () => {
  expect(await ifThere(async () => 1)).toBe(1);
  expect(await ifThere(async () => Promise.reject(new Error("Error 404: not found")))).toBeUndefined();
  await expect(ifThere(async () => Promise.reject(new Error("Error 403")))).rejects.toThrow("403");
});
