import type { KubeObject } from '#kube/port.ts';
import { at } from '../rules.ts';
import { type BuiltInAction, patched, seconds, setting, withField } from './action.ts';

const isSuspended = (object: KubeObject) => at(object, 'spec.suspend') === true;

const reconcile: BuiltInAction = {
  name: 'reconcile',
  disabled: isSuspended,
  run: (object, { nowMs }) =>
    patched(
      withField(
        object,
        ['metadata', 'annotations', 'reconcile.fluxcd.io/requestedAt'],
        `By Argo CD at: ${seconds(nowMs)}`,
      ),
    ),
};

const halting: readonly BuiltInAction[] = [
  { name: 'suspend', disabled: isSuspended, run: setting(['spec', 'suspend'], true) },
  { name: 'resume', disabled: (object) => !isSuspended(object), run: setting(['spec', 'suspend'], false) },
];

const reconciled = [
  'helm.toolkit.fluxcd.io/HelmRelease',
  'image.toolkit.fluxcd.io/ImageRepository',
  'image.toolkit.fluxcd.io/ImageUpdateAutomation',
  'kustomize.toolkit.fluxcd.io/Kustomization',
  'notification.toolkit.fluxcd.io/Receiver',
  'source.toolkit.fluxcd.io/Bucket',
  'source.toolkit.fluxcd.io/GitRepository',
  'source.toolkit.fluxcd.io/HelmChart',
  'source.toolkit.fluxcd.io/HelmRepository',
  'source.toolkit.fluxcd.io/OCIRepository',
];

/** Flux's kinds: reconcile now, suspend, resume. */
export const fluxActions: Readonly<Record<string, readonly BuiltInAction[]>> = {
  ...Object.fromEntries(reconciled.map((kind) => [kind, [reconcile, ...halting]])),
  'notification.toolkit.fluxcd.io/Alert': halting,
  'notification.toolkit.fluxcd.io/Provider': halting,
};
