import { expect, test } from "vitest";
import { isSamePrincipal, principalNames, withoutSession } from "./principals.ts";

const role = "arn:aws:iam::111122223333:role/admin";

test.each([
  role,
  "arn:aws:iam::111122223333:role/teams/serving/admin",
  "arn:aws:sts::111122223333:assumed-role/admin/me@example.com",
])("%s is the role admin", (arn) => {
  expect(isSamePrincipal(arn, role)).toBe(true);
});

test.each([
  "arn:aws:iam::444455556666:role/admin",
  "arn:aws:iam::111122223333:user/admin",
  "arn:aws:iam::111122223333:role/administrator",
  "arn:aws:sts::111122223333:assumed-role/other/admin",
])("%s is another", (arn) => {
  expect(isSamePrincipal(arn, role)).toBe(false);
});

test("roles of one name in two accounts have names of their own, and the first keeps the short one", () => {
  const other = "arn:aws:iam::444455556666:role/admin";
  const user = "arn:aws:iam::111122223333:user/admin";
  expect([...principalNames([role, other, user]).values()]).toEqual([
    "admin",
    "admin-444455556666-role",
    "admin-111122223333-user",
  ]);
});

test("a session is kept as its role", () => {
  expect(withoutSession("arn:aws:sts::111122223333:assumed-role/admin/me,today")).toBe(role);
  expect(withoutSession("arn:aws:iam::111122223333:user/me")).toBe("arn:aws:iam::111122223333:user/me");
});
