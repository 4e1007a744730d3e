import { parse as parseYaml } from 'yaml';
import type { Template } from './template.ts';
import { literalString, literalStrings, member, members, templateOf } from './template.ts';
import { workflowParser } from './workflow-library.ts';

export interface StepDefinition {
  id: string;
  name: Template | undefined;
  /** Expression without `${{ }}`; always calls a status function. */
  if: string;
  uses: string | undefined;
  with: Template | undefined;
  run: Template | undefined;
  shell: Template | undefined;
  workingDirectory: Template | undefined;
  env: Template | undefined;
  continueOnError: Template | undefined;
  timeoutMinutes: Template | undefined;
}

export interface JobDefinition {
  id: string;
  name: Template | undefined;
  needs: string[];
  if: string;
  strategy: Template | undefined;
  env: Template | undefined;
  environment: Template | undefined;
  outputs: Template | undefined;
  concurrency: Template | undefined;
  permissions: Template | undefined;
  defaults: Template | undefined;
  timeoutMinutes: Template | undefined;
  continueOnError: Template | undefined;
  runsOn: Template | undefined;
  /** Path or reference of a reusable workflow, when the job is a call. */
  uses: string | undefined;
  with: Template | undefined;
  secrets: Template | undefined;
  /** Features of the job this runner does not have (`container`, `services`, `snapshot`). */
  unsupported: string[];
  steps: StepDefinition[];
}

export interface InputDefinition {
  type: string;
  required: boolean;
  default: string | number | boolean | undefined;
  options: string[];
}

export interface EventFilter {
  branches?: string[];
  'branches-ignore'?: string[];
  tags?: string[];
  'tags-ignore'?: string[];
  paths?: string[];
  'paths-ignore'?: string[];
  types?: string[];
  workflows?: string[];
}

export interface Workflow {
  path: string;
  name: string;
  runName: Template | undefined;
  /** Filters by event name; an event without filters has an empty object. */
  on: Record<string, EventFilter>;
  schedules: { cron: string }[];
  dispatchInputs: Record<string, InputDefinition>;
  callInputs: Record<string, InputDefinition>;
  callOutputs: Record<string, Template>;
  env: Template | undefined;
  defaults: Template | undefined;
  concurrency: Template | undefined;
  permissions: Template | undefined;
  jobs: JobDefinition[];
}

export type ParsedWorkflow =
  | { kind: 'workflow'; workflow: Workflow }
  /** `on` is what could still be read of the triggers, so that the failure shows where the run would have been. */
  | { kind: 'invalid'; path: string; name: string; on: Record<string, EventFilter>; message: string };

/** Parses and validates a workflow file by GitHub's schema; problems carry file, line and column. */
export async function parseWorkflow(path: string, content: string): Promise<ParsedWorkflow> {
  const parsed = workflowParser.parseWorkflow({ name: path, content }, new workflowParser.NoOperationTraceWriter());
  const template =
    parsed.value === undefined ? undefined : await workflowParser.convertWorkflowTemplate(parsed.context, parsed.value);
  const problems = parsed.context.errors.getErrors().map((error) => error.message);
  if (problems.length > 0 || template === undefined) {
    const root = lenientTemplate(content);
    const message = problems.slice(0, 10).join('\n') || `${path}: the file is empty`;
    const name = literalString(member(root, 'name')) ?? path;
    return { kind: 'invalid', path, name, on: eventsOf(member(root, 'on')), message };
  }
  // Values come from the YAML itself: the library's tokens keep the indentation of block scalars with expressions.
  const root = templateOf(parseYaml(content, { uniqueKeys: false }));
  const name = literalString(member(root, 'name')) ?? path;
  const on = eventsOf(member(root, 'on'));
  const conditions = template.jobs.map((job) => ({
    if: job.if.expression,
    steps: 'steps' in job ? job.steps.map((step) => ({ id: step.id, if: step.if?.expression ?? 'success()' })) : [],
  }));
  const jobs = members(member(root, 'jobs')).map(([id, job], index) => jobOf(id, job, conditions[index]));
  const onTemplate = member(root, 'on');
  const call = member(onTemplate, 'workflow_call');
  return {
    kind: 'workflow',
    workflow: {
      path,
      name,
      runName: member(root, 'run-name'),
      on,
      schedules: schedulesOf(member(onTemplate, 'schedule')),
      dispatchInputs: inputsOf(member(member(onTemplate, 'workflow_dispatch'), 'inputs')),
      callInputs: inputsOf(member(call, 'inputs')),
      callOutputs: Object.fromEntries(
        members(member(call, 'outputs')).flatMap(([key, output]) => {
          const value = member(output, 'value');
          return value === undefined ? [] : [[key, value]];
        }),
      ),
      env: member(root, 'env'),
      defaults: member(root, 'defaults'),
      concurrency: member(root, 'concurrency'),
      permissions: member(root, 'permissions'),
      jobs,
    },
  };
}

/** What can be read of a file that is not valid; nothing when it is not even YAML. */
function lenientTemplate(content: string): Template | undefined {
  try {
    return templateOf(parseYaml(content, { uniqueKeys: false, logLevel: 'silent' }));
  } catch {
    return undefined;
  }
}

interface Conditions {
  if: string;
  steps: { id: string; if: string }[];
}

function jobOf(id: string, job: Template, conditions: Conditions | undefined): JobDefinition {
  const steps = member(job, 'steps');
  return {
    id,
    name: member(job, 'name'),
    needs: literalStrings(member(job, 'needs')),
    if: conditions?.if ?? 'success()',
    strategy: member(job, 'strategy'),
    env: member(job, 'env'),
    environment: member(job, 'environment'),
    outputs: member(job, 'outputs'),
    concurrency: member(job, 'concurrency'),
    permissions: member(job, 'permissions'),
    defaults: member(job, 'defaults'),
    timeoutMinutes: member(job, 'timeout-minutes'),
    continueOnError: member(job, 'continue-on-error'),
    runsOn: member(job, 'runs-on'),
    uses: literalString(member(job, 'uses')),
    with: member(job, 'with'),
    secrets: member(job, 'secrets'),
    unsupported: ['container', 'services', 'snapshot'].filter((key) => member(job, key) !== undefined),
    steps: steps?.kind === 'sequence' ? steps.items.map((step, at) => stepOf(step, conditions?.steps[at])) : [],
  };
}

/** A step as plain data; also used for the steps of composite actions, which have no converted conditions. */
export function stepOf(step: Template, condition: { id: string; if: string } | undefined): StepDefinition {
  return {
    id: literalString(member(step, 'id')) ?? condition?.id ?? '',
    name: member(step, 'name'),
    if: condition?.if ?? 'success()',
    uses: literalString(member(step, 'uses')),
    with: member(step, 'with'),
    run: member(step, 'run'),
    shell: member(step, 'shell'),
    workingDirectory: member(step, 'working-directory'),
    env: member(step, 'env'),
    continueOnError: member(step, 'continue-on-error'),
    timeoutMinutes: member(step, 'timeout-minutes'),
  };
}

const filterKeys = [
  'branches',
  'branches-ignore',
  'tags',
  'tags-ignore',
  'paths',
  'paths-ignore',
  'types',
  'workflows',
] as const;

function eventsOf(on: Template | undefined): Record<string, EventFilter> {
  if (on?.kind !== 'mapping') return Object.fromEntries(literalStrings(on).map((event) => [event, {}]));
  return Object.fromEntries(
    members(on).map(([event, config]) => {
      const filter: EventFilter = {};
      for (const key of filterKeys) {
        const patterns = member(config, key);
        if (patterns !== undefined) filter[key] = literalStrings(patterns);
      }
      return [event, filter];
    }),
  );
}

function schedulesOf(schedule: Template | undefined): { cron: string }[] {
  if (schedule?.kind !== 'sequence') return [];
  return schedule.items.flatMap((item) => {
    const cron = literalString(member(item, 'cron'));
    return cron === undefined ? [] : [{ cron }];
  });
}

function inputsOf(inputs: Template | undefined): Record<string, InputDefinition> {
  return Object.fromEntries(
    members(inputs).map(([name, input]) => {
      const preset = member(input, 'default');
      return [
        name,
        {
          type: literalString(member(input, 'type')) ?? 'string',
          required: literalString(member(input, 'required')) === 'true',
          default: preset?.kind === 'literal' && preset.value !== null ? preset.value : undefined,
          options: literalStrings(member(input, 'options')),
        },
      ];
    }),
  );
}
