import { expect, test } from "vitest";
import { Screen, duration } from "./screen.ts";
import type { ScreenOutput } from "./screen.ts";

function screenOn(output: Partial<ScreenOutput>, env: Record<string, string> = {}) {
  const written: string[] = [];
  const screen = new Screen({
    output: { write: (text) => written.push(text), ...output },
    env,
    now: () => 0,
  });
  return { screen, text: () => written.join("") };
}

test("without a terminal a region prints each line once, when it first differs", () => {
  const { screen, text } = screenOn({ isTTY: false });
  screen.redraw(["llama-8b Loading", "llama-70b Planned"]);
  screen.redraw(["llama-8b Loading", "llama-70b Loading"]);
  screen.redraw(["llama-8b Ready", "llama-70b Loading"]);
  expect(text()).toBe(
    "     llama-8b Loading\n     llama-70b Planned\n     llama-70b Loading\n     llama-8b Ready\n",
  );
});

test("CI has no live region, even where it gives a terminal", () => {
  expect(screenOn({ isTTY: true }, { CI: "true" }).screen.live).toBe(false);
  expect(screenOn({ isTTY: true }).screen.live).toBe(true);
});

test("on a terminal a region is drawn over the one before, cut to the width", () => {
  const { screen, text } = screenOn({ isTTY: true, columns: 16 }, { NO_COLOR: "1" });
  screen.redraw(["a line that is too long", "second"]);
  screen.redraw(["first"]);
  expect(text()).toBe("     a line tha\n     second\n\u001b[2A\r\u001b[J     first\n");
});

test("a list that grows after it was drawn does not move the region", () => {
  const { screen, text } = screenOn({ isTTY: true, columns: 40 }, { NO_COLOR: "1" });
  const lines = ["first"];
  screen.redraw(lines);
  lines.push("second");
  screen.redraw(lines);
  expect(text()).toBe("     first\n\u001b[1A\r\u001b[J     first\n     second\n");
});

test("what follows a region leaves it on screen", () => {
  const { screen, text } = screenOn({ isTTY: true, columns: 40 }, { NO_COLOR: "1" });
  screen.redraw(["all ready"]);
  screen.line("next");
  screen.redraw(["again"]);
  expect(text()).toBe("     all ready\n     next\n     again\n");
});

test("a streamed line is ended before anything else is printed", () => {
  const { screen, text } = screenOn({});
  screen.stream("Hello");
  screen.stream(", world");
  screen.line("done");
  expect(text()).toBe("     Hello, world\n     done\n");
});

test("NO_COLOR and pipes get no escape sequences", () => {
  expect(screenOn({ isTTY: true }, { NO_COLOR: "1" }).screen.style("red", "x")).toBe("x");
  expect(screenOn({ isTTY: false }).screen.style("red", "x")).toBe("x");
  expect(screenOn({ isTTY: true }).screen.style("red", "x")).not.toBe("x");
});

test("durations read as people say them", () => {
  expect(duration(9.14)).toBe("9.1 s");
  expect(duration(221)).toBe("3 min 41 s");
});
