# A broker of librdkafka on a free port (printed first), and every record that arrives on the topics named, one in a line.
import sys
from confluent_kafka import Producer, Consumer, TopicPartition
broker = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1})
topics = sys.argv[1:]
for topic in topics:
    while topic not in broker.list_topics(topic, timeout=10).topics or not broker.list_topics(topic, timeout=10).topics[topic].partitions:
        pass
one = list(broker.list_topics(timeout=10).brokers.values())[0]
print(f"{one.host}:{one.port}", flush=True)
consumer = Consumer({"bootstrap.servers": f"{one.host}:{one.port}", "group.id": "t", "enable.auto.commit": False})
places = [TopicPartition(t, p, 0) for t in topics for p in broker.list_topics(t, timeout=10).topics[t].partitions]
consumer.assign(places)
while True:
    m = consumer.poll(1.0)
    if m is None or m.error():
        continue
    value = m.value().decode() if m.value() is not None else "-"
    seq = dict(m.headers() or []).get("seq", b"").decode()
    print(f"{m.topic()} {m.partition()} {m.key().decode()} {seq} {value}", flush=True)
