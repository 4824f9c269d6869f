/** What tells the nodes of a test or development cluster apart. */
export interface KafkaNodePlan {
  id: number;
  port: number;
  /** What clients and other brokers are told to connect to: the port itself, or that of a proxy. */
  advertisedPort: number;
  controllerPort: number;
}

/** The settings of one KRaft node, broker and controller in one, as Kafka names them. */
export function kafkaProperties(node: KafkaNodePlan, nodes: KafkaNodePlan[], logDir: string, listenHost = '127.0.0.1'): Record<string, string> {
  const replicas = String(nodes.length);
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    listeners: `PLAINTEXT://${listenHost}:${node.port},CONTROLLER://${listenHost}:${node.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${node.advertisedPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logDir,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': nodes.length > 2 ? '2' : '1',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': '1',
    // A quick start: 50 partitions of offsets and a pause for more members only pay in large clusters.
    'offsets.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // Back 7-12 s after kill -9 instead of 19-22 s.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    'controller.quorum.fetch.timeout.ms': '1000',
    'controller.quorum.election.timeout.ms': '500',
    'controller.quorum.election.backoff.max.ms': '300',
  };
}
