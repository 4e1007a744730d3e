/** What a template's function refuses, in Go's words; the evaluator adds where. */
export class CallError extends Error {
  override name = 'CallError';
}
