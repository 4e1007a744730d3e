import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { mergePatchBetween } from '#base/merge-patch.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { ResourceCustomization } from '#model/argocd/settings.ts';
import type { HealthContext } from '../assess.ts';
import { customizationKey } from '../customizations.ts';
import type { ActionResult, BuiltInAction, OfferedAction } from './action.ts';
import { builtInActions, displayNameOf } from './built-in.ts';
import { discover, type LuaActions, luaActions, runLuaAction } from './lua-actions.ts';

function customizationOf(object: KubeObject, customizations: readonly ResourceCustomization[]): LuaActions | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const found = customizations.findLast(
    (entry) => entry.group === group && entry.kind === object.kind && (entry.actions ?? '').trim() !== '',
  );
  return found?.actions === undefined ? undefined : luaActions(found.actions, customizationKey(group, object.kind));
}

function groupKindOf(object: KubeObject): string {
  return `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
}

function offer(groupKind: string, action: BuiltInAction, object: KubeObject): OfferedAction {
  const { name, iconClass } = action;
  const displayName = displayNameOf(groupKind, action, object);
  const params = action.params?.(object);
  return {
    name,
    ...(action.disabled?.(object) === true ? { disabled: true } : {}),
    ...(iconClass === undefined ? {} : { iconClass }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(params === undefined ? {} : { params }),
  };
}

function builtIns(object: KubeObject): OfferedAction[] {
  const groupKind = groupKindOf(object);
  return (builtInActions[groupKind] ?? [])
    .filter((action) => action.offered === undefined || action.offered(object))
    .map((action) => offer(groupKind, action, object));
}

/**
 * The actions of a live object: the settings' own, and where those want it (`mergeBuiltinActions`) or there are none, the
 * built-in ones. Throws AppError bad-input where a script of the settings fails.
 */
export function actionsFor(object: KubeObject, context: HealthContext): OfferedAction[] {
  const custom = customizationOf(object, context.settings.customizations);
  if (custom === undefined) return builtIns(object);
  const own = discover(custom.discovery, object, context.nowMs);
  if (!custom.mergeBuiltIns) return own;
  const names = new Set(own.map(({ name }) => name));
  return [...own, ...builtIns(object).filter(({ name }) => !names.has(name))];
}

/**
 * What an action would write; the caller writes it. The object itself stays as it is. Throws AppError not-found for an action
 * that the kind does not have, bad-input with the action's own words.
 */
export function runAction(
  object: KubeObject,
  action: { name: string; parameters?: Readonly<Record<string, string>> },
  context: HealthContext,
): ActionResult[] {
  const input = { parameters: action.parameters ?? {}, nowMs: context.nowMs };
  const script = customizationOf(object, context.settings.customizations)?.definitions.get(action.name);
  if (script !== undefined) return checked(runLuaAction(script, object, input), object);
  const groupKind = groupKindOf(object);
  const builtIn = builtInActions[groupKind]?.find(({ name }) => name === action.name);
  if (builtIn === undefined)
    throw new AppError('not-found', `${object.kind} ${object.metadata.name} has no action "${action.name}"`, {
      hint: `its actions are: ${
        actionsFor(object, context)
          .map(({ name }) => name)
          .join(', ') || 'none'
      }`,
    });
  return builtIn.run(object, input);
}

/** A patch is of the object that the action was asked for, never of another. */
function checked(results: ActionResult[], source: KubeObject): ActionResult[] {
  for (const { operation, object } of results) {
    const same =
      object.apiVersion === source.apiVersion &&
      object.kind === source.kind &&
      object.metadata.name === source.metadata.name &&
      (object.metadata.namespace ?? '') === (source.metadata.namespace ?? '');
    if (operation === 'patch' && !same)
      throw new AppError(
        'bad-input',
        `the action changes ${object.kind} ${object.metadata.name}, but may only change ${source.kind} ${source.metadata.name}`,
      );
  }
  return results;
}

/** The merge patches of a changed object: of its status, which many kinds take on a path of their own, and of the rest. */
export function actionPatches(
  before: KubeObject,
  after: KubeObject,
): { rest: JsonObject | undefined; status: JsonObject | undefined } {
  const patch = mergePatchBetween(before, after);
  if (!isObject(patch)) return { rest: undefined, status: undefined };
  const { status, ...rest } = patch;
  return {
    rest: Object.keys(rest).length > 0 ? rest : undefined,
    status: status === undefined ? undefined : { status },
  };
}
