import type { Command, Option } from 'commander';

const truths: Record<string, boolean> = {
  ...{ '1': true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ '0': false, f: false, F: false, false: false, FALSE: false, False: false },
};

const isSwitch = ({ required, optional }: Option): boolean => !required && !optional;

function plain(command: Command, arg: string): string[] {
  const [, flag = '', word = ''] = /^--([a-z][a-z0-9-]*)=(\w+)$/.exec(arg) ?? [];
  const value = Object.hasOwn(truths, word) ? truths[word] : undefined;
  const has = (long: string) => command.options.some((option) => option.long === long && isSwitch(option));
  const [yes, no] = [`--${flag}`, `--no-${flag}`];
  if (value === undefined || !(has(yes) || has(no))) return [arg];
  const wanted = value ? yes : no;
  // What cannot be said is what holds anyway.
  return has(wanted) ? [wanted] : [];
}

/** A command line in which `--switch=true` and `--switch=false`, as `argocd` takes them, are `--switch` and `--no-switch`. */
export function withPlainSwitches(program: Command, args: readonly string[]): string[] {
  const end = args.indexOf('--');
  const flags = end < 0 ? args : args.slice(0, end);
  let command = program;
  const out = flags.flatMap((arg) => {
    const sub = command.commands.find((one) => one.name() === arg || one.aliases().includes(arg));
    if (sub) command = sub;
    return sub ? [arg] : plain(command, arg);
  });
  return [...out, ...args.slice(flags.length)];
}
