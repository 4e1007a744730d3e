import type { FunctionMap } from '../function.ts';
import { builtinFunctions } from './builtin.ts';
import { cryptoFunctions } from './crypto.ts';
import { dataFunctions } from './data.ts';
import { dateFunctions } from './date.ts';
import { dictFunctions } from './dict.ts';
import { listFunctions } from './list.ts';
import { nameFunctions } from './name.ts';
import { numberFunctions } from './number.ts';
import { pathFunctions } from './path.ts';
import { regexFunctions } from './regex.ts';
import { semverFunctions } from './semver.ts';
import { textFunctions } from './text.ts';
import { urlFunctions } from './url.ts';

/** Go's own functions and sprig's, without those that read the machine's environment or network. Sprig's `slice` wins. */
export const templateFunctions: FunctionMap = {
  ...builtinFunctions,
  ...textFunctions,
  ...numberFunctions,
  ...listFunctions,
  ...dictFunctions,
  ...dataFunctions,
  ...regexFunctions,
  ...dateFunctions,
  ...pathFunctions,
  ...urlFunctions,
  ...cryptoFunctions,
  ...semverFunctions,
  ...nameFunctions,
};
