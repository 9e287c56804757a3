# A broker of librdkafka as a process: it is made with topics (NAME:PARTITIONS), prints its port, and then does what it is told
# on its standard input: `advertise PORT` (clients come there), `down` (ends all connections, takes no new ones), `up`.
import ctypes, glob, os, sys
import confluent_kafka

package = os.path.dirname(confluent_kafka.__file__)
lib = ctypes.CDLL(glob.glob(package + ".libs/librdkafka*")[0])
for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
    getattr(lib, name).restype = ctypes.c_void_p
lib.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
said = ctypes.create_string_buffer(512)
handle = lib.rd_kafka_new(0, ctypes.c_void_p(lib.rd_kafka_conf_new()), said, len(said))
cluster = ctypes.c_void_p(lib.rd_kafka_mock_cluster_new(ctypes.c_void_p(handle), 1))
for topic in sys.argv[1:]:
    name, partitions = topic.split(":")
    assert lib.rd_kafka_mock_topic_create(cluster, name.encode(), int(partitions), 1) == 0, topic
print(lib.rd_kafka_mock_cluster_bootstraps(cluster).decode().rsplit(":", 1)[1], flush=True)
for line in sys.stdin:
    order = line.split()
    if order[0] == "advertise":
        lib.rd_kafka_mock_broker_set_host_port(cluster, 1, b"127.0.0.1", int(order[1]))
    elif order[0] == "down":
        lib.rd_kafka_mock_broker_set_down(cluster, 1)
    elif order[0] == "up":
        lib.rd_kafka_mock_broker_set_up(cluster, 1)
    print("done", flush=True)
