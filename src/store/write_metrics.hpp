#pragma once
#include "core/observe/metrics.hpp"

namespace postern::store {

/// What every engine tells of its writes, under the same names.
struct WriteMetrics {
    explicit WriteMetrics(observe::Metrics& metrics)
        : committed(batches(metrics, "committed")),
          transient(batches(metrics, "committed_transient")),
          conflicts(batches(metrics, "conflict")),
          failures(batches(metrics, "failed")),
          commits(metrics.counter("postern_store_commits_total", "Commits, each of one batch or many")),
          queued(metrics.gauge("postern_store_queue", "Calls that wait for the writer or for a connection")),
          writable(metrics.gauge("postern_store_writable", "1: the last commit succeeded; 0: it failed, as on a full disk")),
          seconds(metrics.histogram("postern_store_commit_seconds", "A commit with all its batches and its fsync")) {}

    observe::Counter committed, transient, conflicts, failures, commits;
    observe::Gauge queued, writable;
    observe::Histogram seconds;

private:
    static observe::Counter batches(observe::Metrics& metrics, std::string_view result) {
        return metrics.counter("postern_store_batches_total", "Write batches by result", {{"result", result}});
    }
};

}  // namespace postern::store
