import Foundation
import TestSupport
import Testing

/// Fine-tuning with several seeds creates one trainer after the other.
struct FinetuningThreadsTests {
  /// Starts the program and records its number of threads every few milliseconds.
  private static let sampler = #"""
    "$0" "$@" & program=$!
    while kill -0 $program 2>/dev/null; do
      while read -r key value; do
        if [ "$key" = Threads: ]; then echo "$value"; fi
      done </proc/$program/status
      sleep 0.005
    done >"threads.${OMPI_COMM_WORLD_RANK:-0}" 2>/dev/null
    wait $program
    """#

  /// The largest number of threads of each rank.
  private func peaks(seeds: Int, ranks: Int?, in folder: TemporaryFolder) throws -> [Int] {
    let arguments = [
      "finetune", "own", "--train", "train.tsv", "--dev", "train.tsv", "--from", "run", "--epochs",
      "1", "--threads", "1", "--seeds", "\(seeds)", "--output", "\(seeds)x\(ranks ?? 0)",
    ]
    let launcher = ranks.map {
      ". \(Program.launch)/environment.sh; exec mpirun -q --timeout 300 -np \($0)"
    }
    let result = try Program.shell(
      "\(launcher ?? "exec") bash -c '\(Self.sampler)' \"$0\" \"$@\"",
      [Program.path] + arguments, in: folder.path)
    #expect(result.status == 0, "\(result.errors)")
    return try (0..<(ranks ?? 1)).map { rank in
      let text = try folder.text("threads.\(rank)")
      return text.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
    }
  }

  @Test
  func moreSeedsNeedNoMoreThreads() throws {
    let folder = try preparedData(documents: 200)
    let made = try Program.run(
      [
        "pretrain", "--data", "data", "--output", "run", "--preset", "tiny", "--batch", "8",
        "--steps", "2",
      ], in: folder.path)
    #expect(made.status == 0, "\(made.errors)")
    let lines = madeText(documents: 10).split(separator: "\n")
    try folder.write(
      "text\tlabel\n" + lines.map { "\($0)\t\($0.contains("ba") ? "yes" : "no")\n" }.joined(),
      "train.tsv")
    for ranks in [nil, 2] {
      let one = try peaks(seeds: 1, ranks: ranks, in: folder)
      let five = try peaks(seeds: 5, ranks: ranks, in: folder)
      // A trainer has a worker and two queues; leaked threads of four trainers would exceed the
      // limit.
      for (one, five) in zip(one, five) { #expect(one > 3 && five < one + 4, "\(one), \(five)") }
    }
  }
}
