// Package kafkatest runs Apache Kafka itself on the loopback, so that tests can be held against it and not only against
// brokers in the process. It is for tests only.
//
// # Guarantees
//
// A server is one node that is broker and controller, with its own folder, ports, certificates and users. It is gone
// when its test is, also when the test's process is killed (on Linux).
//
// # Decisions
//
// 2026-11: the jars come from Maven Central, by the pom.xml in this folder, and are named to the tests in a file of Java's
// class path: make test-kafka writes it and sets DIURNA_TEST_KAFKA to its name. No container, so it runs wherever Java
// and Maven do. The tests start the servers themselves and not the Makefile, because some stop and kill them.
package kafkatest
