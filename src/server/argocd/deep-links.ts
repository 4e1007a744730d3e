import { load } from 'js-yaml';
import { AppError, messageOf } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { compileTemplate, type TemplateDeps } from '#template/template.ts';

export interface DeepLink {
  title: string;
  url: string;
  description: string | undefined;
  iconClass: string | undefined;
  condition: string | undefined;
}

/** `application.links`, `project.links` or `resource.links` of `argocd-cm`. Throws `bad-input` for what is no such list. */
export function parseDeepLinks(text: string | undefined, key: string): DeepLink[] {
  if (text === undefined || text.trim() === '') return [];
  let value: unknown;
  try {
    value = load(text);
  } catch (cause) {
    throw new AppError('bad-input', `${key} of argocd-cm is no YAML: ${messageOf(cause)}`, { cause });
  }
  if (!Array.isArray(value)) throw new AppError('bad-input', `${key} of argocd-cm is no list`);
  const optional = (item: unknown) => (typeof item === 'string' ? item : undefined);
  return value.filter(isObject).map((item) => ({
    title: String(item['title'] ?? ''),
    url: String(item['url'] ?? ''),
    description: optional(item['description']),
    iconClass: optional(item['icon.class']),
    condition: optional(item['if']),
  }));
}

/** The links as they read for one thing; those whose template fails are left out and told to `problem`. */
export function renderDeepLinks(
  links: readonly DeepLink[],
  data: JsonObject,
  deps: TemplateDeps & { problem: (text: string) => void },
): JsonObject[] {
  return links.flatMap((link) => {
    if (link.condition !== undefined) {
      deps.problem(
        `the link "${link.title}" has a condition (if), which is not evaluated by this version: it is left out`,
      );
      return [];
    }
    try {
      const url = compileTemplate(link.url, { name: 'deep-link' }).render(data, deps);
      return [
        {
          title: link.title,
          url,
          ...(link.description === undefined ? {} : { description: link.description }),
          ...(link.iconClass === undefined ? {} : { iconClass: link.iconClass }),
        },
      ];
    } catch (error) {
      deps.problem(`the link "${link.title}" cannot be made: ${messageOf(error)}`);
      return [];
    }
  });
}
