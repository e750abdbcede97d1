// `llama-operator completion bash|zsh`: completion of commands and options, written from the commands themselves.
import { Argument, Command } from "commander";
import type { Terminal } from "./terminal.ts";

const shells = ["bash", "zsh"] as const;
type Shell = (typeof shells)[number];

export function completionCommand(terminal: Terminal, program: Command): Command {
  return new Command("completion")
    .description("Print a script that completes commands and options in your shell")
    .addArgument(new Argument("<shell>", "your shell").choices(shells))
    .addHelpText(
      "after",
      `
Examples:
  source <(llama-operator completion bash)
  llama-operator completion zsh > "\${fpath[1]}/_llama-operator"`,
    )
    .action((shell: Shell) => {
      terminal.out.write(completionScript(program, shell));
    });
}

/** The script of one shell: a table from the words so far to the words that may follow. */
export function completionScript(program: Command, shell: Shell): string {
  const cases = followers(program)
    .map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`)
    .join("\n");
  const zshPrelude = `#compdef llama-operator\nautoload -U +X bashcompinit && bashcompinit\n`;
  return `${shell === "zsh" ? zshPrelude : ""}_llama_operator() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _llama_operator llama-operator
`;
}

interface Followers {
  /** The command's words without the program's name. */
  readonly path: string;
  readonly words: readonly string[];
}

function followers(command: Command, path = ""): readonly Followers[] {
  const help = command.createHelp();
  const words = [
    ...command.commands.map((child) => child.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...help.visibleOptions(command).flatMap(({ long }) => long ?? []),
  ];
  return [
    { path, words },
    ...command.commands.flatMap((child) => followers(child, `${path} ${child.name()}`.trim())),
  ];
}
