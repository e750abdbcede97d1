// Runs the processes of one local cluster and makes its keys. The standard library alone: it is built
// first and in a second, and stays small beside what it watches.
module llama-operator.dev/local/tools/supervisor

go 1.26.0
