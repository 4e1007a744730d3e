import { collectionFunctions } from './functions/collection.ts';
import { conversions } from './functions/conversion.ts';
import { formatFunctions } from './functions/named-format.ts';
import { networkFunctions } from './functions/network.ts';
import { operators } from './functions/operator.ts';
import { patternFunctions } from './functions/pattern.ts';
import { quantityFunctions } from './functions/quantity.ts';
import { stringFunctions } from './functions/string.ts';
import { timeFunctions } from './functions/time.ts';
import { urlFunctions } from './functions/url.ts';
import type { Overload } from './overload.ts';

/** Every function that a rule of Kubernetes 1.33 may call. */
export const library: ReadonlyMap<string, readonly Overload[]> = Map.groupBy(
  [
    ...operators,
    ...conversions,
    ...timeFunctions,
    ...stringFunctions,
    ...patternFunctions,
    ...collectionFunctions,
    ...quantityFunctions,
    ...urlFunctions,
    ...networkFunctions,
    ...formatFunctions,
  ],
  ({ name }) => name,
);
