import Electra
import Foundation
import Layers
import Models
import Platform
import Runs
import Training

/// What the folder of a run of `pretrain` or of a fine-tuning says about its progress: a row of
/// `electra runs`.
///
/// It is read from the heartbeats of the ranks, the lock and the metrics. Checkpoints are not
/// opened, and a file that cannot be read leaves its value out.
package struct RunStatus: Encodable {
  /// Whether a run is running, or how it ended.
  package enum State: String, Encodable {
    /// No rank has written a heartbeat or a metric.
    case new
    case running
    /// A stop was requested; the last checkpoint is being written.
    case stopping
    /// All ranks have ended before the last step; the same command resumes.
    case stopped
    case finished
    /// A rank has ended with an error.
    case failed
    /// A rank exceeded a deadline of the watchdog.
    case late
    /// The process of rank zero has ended without a last heartbeat.
    case killed
    /// Ranks of other hosts that were running have given no heartbeat for two minutes, by the
    /// clocks of this host and of the file system.
    case silent
  }

  /// What is trained.
  enum Kind: String, Encodable { case pretraining, finetuning }

  /// The path of the folder.
  package let folder: String
  let kind: Kind
  package let state: State
  /// The number of ranks of the last start; 0 if it is unknown.
  let ranks: Int
  /// The number of steps done, in the current seed of a fine-tuning.
  package let step: Int
  /// The steps of the whole run; nil for a fine-tuning.
  package let steps: Int?
  /// The last values of the training metrics; nil before the first.
  let loss: Double?
  let tokensPerSecond: Double?
  /// The time of the last heartbeat or metric, in seconds since 1970; nil before the first.
  let lastSeen: Double?

  enum CodingKeys: String, CodingKey {
    case folder, kind, state, ranks, step, steps, loss
    case tokensPerSecond = "tokens_per_second"
    case lastSeen = "last_seen"
  }

  /// Seconds without a heartbeat after which a run of other hosts counts as silent.
  ///
  /// Heartbeats are written every second, but network file systems show them late.
  private static let silence = 120.0

  /// Reads the status of the run or fine-tuning in `folder`; nil where there is none.
  ///
  /// `time` is the current time in seconds since 1970, to which heartbeats are compared.
  package init?(_ folder: String, time: Double) {
    let files = FileManager.default
    let isPretraining = files.fileExists(atPath: folder + "/config.json")
    guard isPretraining || files.fileExists(atPath: folder + "/finetuning.json") else { return nil }
    // The lock comes first: a run writes its last heartbeat before it releases the lock.
    let holder = RunLock.holder(ofFolder: folder)
    let heartbeats = Self.heartbeats(folder)
    let metrics = isPretraining ? RunMetrics(runFolder: folder) : Self.newestPart(of: folder)
    // A Hugging Face folder has a config.json, too.
    let hasStarted = !heartbeats.isEmpty || !metrics.lines.isEmpty
    let isRun = hasStarted || files.fileExists(atPath: folder + "/start.json")
    guard !isPretraining || isRun else { return nil }
    self.folder = folder
    kind = isPretraining ? .pretraining : .finetuning
    ranks = heartbeats.count
    let last = metrics.lines(.training).last
    // Heartbeats name the step in progress, which is the number of steps done before it; after a
    // stop the newest checkpoint has the number of all.
    let others =
      isPretraining ? heartbeats.map(\.step) + CheckpointStore(runFolder: folder).steps() : []
    step = max(last?.step ?? 0, others.max() ?? 0)
    steps =
      files.contents(atPath: folder + "/config.json")
      .flatMap { try? JSONDecoder().decode(PretrainingConfiguration.self, from: $0) }?.steps
    (loss, tokensPerSecond) = (last?[.loss], last?[.tokensPerSecond])
    lastSeen = (heartbeats.map(\.time) + [metrics.lines.last?.time].compactMap(\.self)).max()
    state = Self.state(
      heartbeats, hasMetrics: !metrics.lines.isEmpty, age: time - (lastSeen ?? time),
      holder: holder)
  }

  /// The last heartbeat of each rank.
  private static func heartbeats(_ folder: String) -> [Heartbeat.Record] {
    var records: [Heartbeat.Record] = []
    while let record = Heartbeat.last(folder: folder, rank: records.count) {
      records.append(record)
    }
    return records
  }

  /// The metrics of the part of a fine-tuning, such as a seed, that was written last.
  private static func newestPart(of folder: String) -> RunMetrics {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    let parts = names.sorted().map { RunMetrics(runFolder: "\(folder)/\($0)") }
    return parts.max { ($0.lines.last?.time ?? 0) < ($1.lines.last?.time ?? 0) }
      ?? RunMetrics(runFolder: folder)
  }

  /// The state that follows from the heartbeats of all ranks.
  ///
  /// - Parameters:
  ///   - heartbeats: the last one of each rank; empty for runs of versions without them.
  ///   - hasMetrics: whether there are lines of metrics.
  ///   - age: seconds since the last sign of life.
  ///   - holder: the process that holds the folder's lock; nil where it is free.
  /// - Returns: the state of the run as a whole.
  package static func state(
    _ heartbeats: [Heartbeat.Record], hasMetrics: Bool, age: Double, holder: RunLock.Holder?
  ) -> State {
    let states = Set(heartbeats.map(\.state))
    if heartbeats.isEmpty { return hasMetrics ? .stopped : .new }
    for (word, state) in [("failed", State.failed), ("late", .late), ("terminated", .stopped)]
    where states.contains(word) {
      return state
    }
    // Rank zero ends last and releases the lock then. Others may show older heartbeats.
    let first = heartbeats[0].state
    guard first == "running" || first == "stopping" else {
      return first == "finished" ? .finished : .stopped
    }
    guard let holder, holder.state != .ended else { return .killed }
    if holder.state == .unknown && age > silence { return .silent }
    return states.contains("stopping") ? .stopping : .running
  }
}
