import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import { always, at, type Catalogue, type Check, conditions, field, firstOf, items, kinds, textAt } from '../rules.ts';

function strimzi(name: string, failing = 'NotReady=True'): Check {
  return firstOf(
    conditions([failing, 'Degraded'], ['Ready=True', 'Healthy', '']),
    always('Progressing', `Waiting for ${name}`),
  );
}

function confluent(kind: string): Check {
  return firstOf(
    field('status.phase', {
      RUNNING: ['Healthy', `${kind} running`],
      PROVISIONING: ['Progressing', `${kind} provisioning`],
    }),
    always('Progressing', `Waiting for ${kind}`),
  );
}

function rabbit(kind: string): Check {
  const name = `RabbitMQ ${kind.toLowerCase()}`;
  return firstOf(
    conditions(
      ['Ready=True/SuccessfulCreateOrUpdate', 'Healthy', `${name} ready`],
      ['Ready=False/FailedCreateOrUpdate', 'Degraded', `${name} failed to be created or updated`],
    ),
    always('Unknown', `${name} status is unknown`),
  );
}

function rabbitCluster(object: KubeObject): Health {
  const list = items(object, 'status.conditions');
  const statusOf = (type: string) =>
    textAt(
      list.findLast((condition) => textAt(condition, 'type') === type),
      'status',
    );
  const failed = list.find((c) => textAt(c, 'type') === 'ReconcileSuccess' && textAt(c, 'status') === 'False');
  if (failed !== undefined) return health('Degraded', textAt(failed, 'message'));
  const available = statusOf('ClusterAvailable');
  const replicas = statusOf('AllReplicasReady');
  if (available === 'Unknown' || replicas === 'Unknown')
    return health('Progressing', 'Waiting for RabbitMQ cluster readiness (conditions unknown)');
  if (available === 'False') return health('Progressing', 'Waiting for RabbitMQ cluster formation');
  if (replicas === 'False') return health('Progressing', 'Waiting for RabbitMQ instances ready');
  if (available === 'True' && replicas === 'True') return health('Healthy', 'RabbitMQ cluster ready');
  return health('Progressing', 'Waiting for RabbitMQ Operator');
}

function brokerIsWell(broker: unknown): boolean {
  const action = textAt(broker, 'gracefulActionState.cruiseControlState') ?? '';
  return (
    textAt(broker, 'configurationState') === 'ConfigInSync' &&
    ['GracefulUpscaleSucceeded', 'GracefulDownscaleSucceeded'].includes(action)
  );
}

function banzaiKafka(object: KubeObject): Health {
  const state = textAt(object, 'status.state');
  const waiting = health('Progressing', 'Waiting for KafkaCluster');
  if (state === 'ClusterRollingUpgrading') return health('Progressing', 'Kafka Cluster is Rolling Upgrading.');
  if (at(object, 'status.brokersState') === undefined) return waiting;
  if (!items(object, 'status.brokersState').every(brokerIsWell))
    return health('Degraded', 'Broker Config is out of Sync or CruiseControlState is not Ready');
  const topic = textAt(object, 'status.cruiseControlTopicStatus') ?? 'CruiseControlTopicNotReady';
  if (topic === 'CruiseControlTopicReady' && state === 'ClusterRunning')
    return health('Healthy', 'Kafka Brokers, CruiseControl and cluster are in Healthy State.');
  if (topic === 'CruiseControlTopicNotReady' && state === 'ClusterReconciling')
    return health('Progressing', 'Kafka Cluster is Reconciling.');
  return waiting;
}

function connector(object: KubeObject): Health | undefined {
  const state = textAt(object, 'status.state');
  const failedTasks = textAt(object, 'status.failedTasksCount');
  if (state === undefined) return undefined;
  if (state === 'CREATED' && textAt(object, 'status.connectorState') === 'RUNNING' && failedTasks === undefined)
    return health('Healthy', 'Connector running');
  if (state === 'ERROR') {
    const [first] = items(object, 'status.conditions');
    return health('Degraded', first === undefined ? 'No conditions available' : textAt(first, 'message'));
  }
  return Number(failedTasks ?? 0) > 0 ? health('Degraded', 'Connector has failed tasks') : undefined;
}

/** Kafka, RabbitMQ and what belongs to them. */
export const messagingKinds: Catalogue = {
  'kafka.strimzi.io/Kafka': strimzi('Kafka Cluster', 'NotReady=True/!Creating'),
  'kafka.strimzi.io/KafkaBridge': strimzi('KafkaBridge'),
  'kafka.strimzi.io/KafkaConnect': strimzi('Kafka Connect'),
  'kafka.strimzi.io/KafkaConnector': strimzi('KafkaConnector'),
  'kafka.strimzi.io/KafkaTopic': strimzi('Kafka Topic'),
  'kafka.strimzi.io/KafkaUser': strimzi('Kafka User'),
  'kafka.banzaicloud.io/KafkaCluster': banzaiKafka,
  ...kinds(
    'platform.confluent.io',
    ['Connect', 'ControlCenter', 'Kafka', 'KsqlDB', 'SchemaRegistry', 'Zookeeper'],
    confluent,
  ),
  'platform.confluent.io/Connector': firstOf(connector, always('Progressing', 'Waiting for Kafka Connector')),
  'rabbitmq.com/RabbitmqCluster': rabbitCluster,
  ...kinds('rabbitmq.com', ['Binding', 'Exchange', 'Permission', 'Policy', 'Queue', 'Shovel', 'User', 'Vhost'], rabbit),
  'zookeeper.pravega.io/ZookeeperCluster': (object) => {
    const ready = textAt(object, 'status.readyReplicas');
    return at(object, 'status') !== undefined && ready !== '0' && ready === textAt(object, 'status.replicas')
      ? health('Healthy', 'All ZK Nodes have joined the ensemble')
      : health('Progressing', 'Waiting for ZK Nodes to join the ensemble');
  },
};
