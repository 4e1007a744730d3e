import type { Difference } from './suite/case.ts';

/** Known differences from the real server, by the case that shows them. A case leaves this list when it passes. */
export const differences: Readonly<Record<string, Difference>> = {
  'validation/pod-spec-diff': {
    real: 'adds the changed fields as a diff of Go structs',
    drydock: 'ends after the sentence',
    why: 'the text is made by printing internal Go types',
  },
};
