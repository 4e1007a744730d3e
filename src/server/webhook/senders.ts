import type { JsonObject } from '#base/json.ts';
import type { ForgeChange } from './application-set-match.ts';
import {
  azurePush,
  bitbucketPush,
  bitbucketServerPush,
  type Delivery,
  ghcrPush,
  githubPush,
  gitlabPush,
  harborPush,
  type Push,
  proposalOf,
  type RegistryPush,
  repositoryChangeOf,
} from './delivery.ts';
import type { Proof } from './signature.ts';

/** Reads one header, by its name in lower case. */
export type Headers = (name: string) => string | undefined;

type Secrets = Readonly<Record<string, string>>;

/** One kind of forge or registry that tells of pushes. The first of the list that recognises a delivery reads it. */
export interface Sender {
  name: string;
  recognises: (header: Headers, secrets: Secrets) => boolean;
  /** The key of `argocd-secret` that holds what deliveries are proved by. */
  secretKey: string;
  proof: (header: Headers, secrets: Secrets) => Proof;
  /** The delivery's own id, by which repeats are known. */
  deliveryId: (header: Headers) => string | undefined;
  read: (header: Headers, payload: JsonObject) => Delivery;
  /** The server's own secret stands in for a missing one. */
  sharesSecret: boolean;
}

function pushed(push: Push): Delivery {
  return { kind: 'push', push };
}

function published(push: RegistryPush | undefined): Delivery {
  return push ? { kind: 'registry', push } : { kind: 'none', reason: 'nothing with a tag was published' };
}

function changed(change: ForgeChange | undefined, event: string): Delivery {
  return change ? { kind: 'forge', change } : uninteresting(event);
}

function uninteresting(event: string | undefined): Delivery {
  return { kind: 'none', reason: `the event "${event ?? ''}" changes nothing here` };
}

const githubProof = (header: Headers): Proof => ({
  kind: 'hmac',
  header: header('x-hub-signature-256'),
  prefix: 'sha256=',
});

const harbor: Sender = {
  name: 'Harbor',
  recognises: (header, secrets) => {
    const secret = secrets['webhook.harbor.secret'];
    return secret !== undefined && secret !== '' && header('authorization') === secret;
  },
  secretKey: 'webhook.harbor.secret',
  proof: (header) => ({ kind: 'token', given: header('authorization') }),
  deliveryId: () => undefined,
  read: (_header, payload) => published(harborPush(payload)),
  sharesSecret: false,
};

const githubPackages: Sender = {
  name: 'GitHub packages',
  recognises: (header) => header('x-github-event') === 'package',
  secretKey: 'webhook.github.secret',
  proof: githubProof,
  deliveryId: (header) => header('x-github-delivery'),
  read: (_header, payload) => published(ghcrPush(payload)),
  sharesSecret: true,
};

const azureDevOps: Sender = {
  name: 'Azure DevOps',
  recognises: (header) => header('x-vss-activityid') !== undefined,
  secretKey: 'webhook.azuredevops.password',
  proof: (header, secrets) => ({
    kind: 'basic',
    given: header('authorization'),
    username: secrets['webhook.azuredevops.username'] ?? '',
  }),
  deliveryId: () => undefined,
  read: (_header, payload) =>
    payload['eventType'] === 'git.push' ? pushed(azurePush(payload)) : uninteresting(String(payload['eventType'])),
  sharesSecret: false,
};

/** Before GitHub: their deliveries carry GitHub's headers, too. */
const gogs: Sender = {
  name: 'Gogs, Gitea or Forgejo',
  recognises: (header) => header('x-gogs-event') !== undefined || header('x-gitea-event') !== undefined,
  secretKey: 'webhook.gogs.secret',
  proof: (header) => ({ kind: 'hmac', header: header('x-gogs-signature') ?? header('x-gitea-signature'), prefix: '' }),
  deliveryId: (header) => header('x-gogs-delivery') ?? header('x-gitea-delivery'),
  read: (header, payload) => {
    const event = header('x-gogs-event') ?? header('x-gitea-event');
    if (event === 'push') return pushed(githubPush(payload));
    return event?.startsWith('pull_request') ? changed(proposalOf(payload), event) : uninteresting(event);
  },
  sharesSecret: true,
};

const github: Sender = {
  name: 'GitHub',
  recognises: (header) => header('x-github-event') !== undefined,
  secretKey: 'webhook.github.secret',
  proof: githubProof,
  deliveryId: (header) => header('x-github-delivery'),
  read: (header, payload) => {
    const event = header('x-github-event');
    if (event === 'ping') return { kind: 'none', reason: 'pong' };
    if (event === 'pull_request') return changed(proposalOf(payload), event);
    if (event === 'repository') return changed(repositoryChangeOf(payload), event);
    return event === 'push' ? pushed(githubPush(payload)) : uninteresting(event);
  },
  sharesSecret: true,
};

const gitlab: Sender = {
  name: 'GitLab',
  recognises: (header) => header('x-gitlab-event') !== undefined,
  secretKey: 'webhook.gitlab.secret',
  proof: (header) => ({ kind: 'token', given: header('x-gitlab-token') }),
  deliveryId: (header) => header('x-gitlab-webhook-uuid') && header('x-gitlab-event-uuid'),
  read: (header, payload) => {
    const kind = payload['object_kind'] ?? payload['event_name'];
    const isPush =
      kind === 'push' || kind === 'tag_push' || /^(?:Tag )?Push Hook$/.test(header('x-gitlab-event') ?? '');
    if (kind === 'merge_request') return changed(proposalOf(payload), 'merge_request');
    return isPush ? pushed(gitlabPush(payload)) : uninteresting(header('x-gitlab-event'));
  },
  sharesSecret: false,
};

const bitbucket: Sender = {
  name: 'Bitbucket',
  recognises: (header) => header('x-hook-uuid') !== undefined,
  secretKey: 'webhook.bitbucket.uuid',
  proof: (header) => ({ kind: 'token', given: header('x-hook-uuid') }),
  deliveryId: (header) => header('x-request-uuid'),
  read: (header, payload) =>
    header('x-event-key') === 'repo:push' ? pushed(bitbucketPush(payload)) : uninteresting(header('x-event-key')),
  sharesSecret: false,
};

const bitbucketServer: Sender = {
  name: 'Bitbucket Server',
  recognises: (header) => header('x-event-key') !== undefined,
  secretKey: 'webhook.bitbucketserver.secret',
  proof: (header) => ({ kind: 'hmac', header: header('x-hub-signature'), prefix: 'sha256=' }),
  deliveryId: (header) => header('x-request-id'),
  read: (header, payload) => {
    const event = header('x-event-key');
    if (event === 'diagnostics:ping') return { kind: 'none', reason: 'pong' };
    return event === 'repo:refs_changed' ? pushed(bitbucketServerPush(payload)) : uninteresting(event);
  },
  sharesSecret: false,
};

export const senders: readonly Sender[] = [
  githubPackages,
  harbor,
  azureDevOps,
  gogs,
  github,
  gitlab,
  bitbucket,
  bitbucketServer,
];
