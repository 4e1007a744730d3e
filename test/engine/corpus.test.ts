import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;

/** What charts write and API servers store differently: quantities, defaults, int-or-strings, nulls, empty values, lists. */
const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}, annotations: }
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 0}}
  template:
    metadata: {labels: {app: web}, creationTimestamp: null}
    spec:
      imagePullSecrets: []
      nodeSelector: {}
      tolerations: null
      securityContext: {}
      containers:
        - name: web
          image: example.com/web:1
          ports: [{containerPort: 80, name: http}, {containerPort: 53, protocol: UDP}]
          env:
            - {name: A, value: ""}
            - {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
          resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: "0.5", memory: 1Gi}}
          livenessProbe: {httpGet: {path: /, port: http}}
          volumeMounts: [{name: config, mountPath: /etc/config}]
        - {name: sidecar, image: "example.com/sidecar:1"}
      volumes:
        - {name: config, configMap: {name: config}}
        - {name: scratch, emptyDir: {}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 0
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "example.com/db:1"}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: config, labels: {}}
data: {empty: "", number: "010", text: "a\\nb\\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: secret}
type: Opaque
stringData: {password: example}
data: {empty: ""}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  minReplicas: 1
  maxReplicas: 3
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: web.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 50%, selector: {matchLabels: {app: web}}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: job, image: "example.com/job:1"}]}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {}, ingress: [{ports: [{port: http}]}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: files}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: "1073741824"}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.corpus.example.com}
spec:
  group: corpus.example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {size: {type: integer, default: 3}, color: {type: string}}}
---
apiVersion: corpus.example.com/v1
kind: Widget
metadata: {name: blue}
spec: {color: blue}
`;

test('objects of every kind are Synced after the first sync, stay so when everything is forgotten, and show real drift', async () => {
  const forgotten = mkdtempSync(join(tmpdir(), 'engine-cache-'));
  await using world = await EngineWorld.start();
  await world.startEngine();
  world.git.create('corpus');
  world.git.commit('corpus', { 'all.yaml': manifests });
  const source = { repoURL: world.git.url('corpus'), path: '.' };
  const destination = { server, namespace: 'corpus' };
  await world.apply(
    applicationObject('corpus', {
      source,
      destination,
      syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
    }),
  );
  const app = await world.untilApplication('corpus', inSync, 20_000);
  const kinds = app.status?.resources?.map(({ kind, status }) => `${kind} ${status}`) ?? [];
  assert.equal(kinds.length, 16);
  assert.equal(app.status?.operationState?.retryCount, undefined, 'one try was enough');
  assert.deepEqual(
    kinds.filter((line) => !line.endsWith(' Synced')),
    [],
  );
  await world.stopEngine();

  world.writes.length = 0;
  await world.startEngine({ cacheDir: forgotten });
  const again = await world.engine.whenSettled('corpus', AbortSignal.timeout(20_000));
  assert.deepEqual(
    again.status?.resources?.filter(({ status }) => status !== 'Synced'),
    [],
  );
  assert.equal(world.running?.counts.dryRuns, 16, 'one question for each object that nothing is known about');
  assert.deepEqual(world.writes, []);

  await world.patch('apps/v1', 'Deployment', 'web', 'corpus', {
    spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } },
  });
  await world.patch('v1', 'Service', 'web', 'corpus', { metadata: { labels: { foreign: 'stays' } } });
  await world.patch('corpus.example.com/v1', 'Widget', 'blue', 'corpus', { spec: { color: 'red' } });
  const drifted = await world.untilApplication('corpus', (found) => found.status?.sync?.status === 'OutOfSync');
  assert.deepEqual(
    drifted.status?.resources?.filter(({ status }) => status !== 'Synced').map(({ kind }) => kind),
    ['Widget'],
  );
  rmSync(forgotten, { recursive: true, force: true });
});
