import type { ApiObject, GroupResource, KindType } from '../port.ts';
import { apiVersionOf } from '../served.ts';
import { asStored, type Conversion } from '../write/conversion.ts';

/**
 * Between versions of a custom resource only the apiVersion changes. What a version's schema does not know is dropped on the
 * way, and its defaults are filled, so that objects written under an older schema are shown as the present one has them.
 */
export function customConversion(
  storage: GroupResource,
  { served, stored }: { served: KindType; stored: KindType },
): Conversion {
  const shown = new WeakMap<ApiObject, ApiObject>();
  return {
    storage,
    toServed(object) {
      let made = shown.get(object);
      if (made === undefined) {
        made = withMetadataOf(object, served.decode(object).object);
        served.applyDefaults(made);
        shown.set(object, made);
      }
      return made;
    },
    toStored(object) {
      const pruned = served === stored ? object : withMetadataOf(object, stored.decode(object).object);
      return asStored(pruned, apiVersionOf(stored.gvk));
    },
    storedPath: (path) => path,
  };
}

function withMetadataOf({ metadata }: ApiObject, object: ApiObject): ApiObject {
  return { ...object, metadata };
}
