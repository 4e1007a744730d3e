import { randomBytes } from 'node:crypto';
import type { ClientRun } from '../fidelity.ts';
import { Programs } from '../suite/programs.ts';
import { Client, type ClientName, runSteps } from './client.ts';
import { helmSteps } from './helm-steps.ts';
import { kubectlSteps } from './kubectl-steps.ts';

const steps = { kubectl: kubectlSteps, helm: helmSteps };

/** `kubectl edit` opens this editor; its step knows. */
const env = { KUBE_EDITOR: 'sed -i s/replaced/edited/' };

/** The steps of one client program against a cluster, in a namespace that goes away with them. */
export async function runClient(name: ClientName, program: string, kubeconfig: string): Promise<ClientRun> {
  using programs = new Programs({ kubectl: undefined, helm: undefined, [name]: program, kubeconfig, env });
  const namespace = `client-${name}-${randomBytes(3).toString('hex')}`;
  const asked = name === 'kubectl' ? ['version', '--client'] : ['version', '--template', '{{.Version}}'];
  const { out } = await programs[name](asked);
  const version = /v(\d+\.\d+\.\d+)/.exec(out)?.[1];
  if (version === undefined) throw new Error(`${program} does not tell its version: ${out}`);
  const client = new Client(programs, { name, namespace, version });
  return { client: name, version, ...(await runSteps(client, steps[name])) };
}
