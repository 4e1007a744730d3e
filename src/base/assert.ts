/** A violated assertion is a bug in Slipway, never a user's mistake: it ends the current tick and is not caught by name. */
export class AssertionFailure extends Error {
  override name = 'AssertionFailure';
}

export function assert(condition: unknown, why: string): asserts condition {
  if (!condition) throw new AssertionFailure(why);
}

/** Ends an exhaustive switch: fails to compile when a case is missing, and throws if reached at run time. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${JSON.stringify(value)}`);
}
