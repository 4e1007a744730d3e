import { isObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import type { Store } from '../store/store.ts';

const isDefault = 'ingressclass.kubernetes.io/is-default-class';

/** As the DefaultIngressClass admission does: a new Ingress without a class gets the default one, the newest of several. */
export function assignIngressClass(store: Pick<Store, 'scan'>, ingress: ApiObject): void {
  const spec = isObject(ingress['spec']) ? ingress['spec'] : {};
  const annotated = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
  if (spec['ingressClassName'] !== undefined || annotated !== undefined) return;
  const [newest] = store
    .scan('ingressclasses.networking.k8s.io', '')
    .map(({ object }) => object.metadata)
    .filter(({ annotations }) => annotations?.[isDefault] === 'true')
    .sort((a, b) => (b.creationTimestamp ?? '').localeCompare(a.creationTimestamp ?? '') || (a.name < b.name ? -1 : 1));
  if (newest) ingress['spec'] = { ...spec, ingressClassName: newest.name };
}
