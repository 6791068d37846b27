import ArgumentParser
import Collectives
import Platform
import Runs
import Tensors
import Training

/// Runs `body` on every rank and flushes standard output.
///
/// `body` must throw on all ranks or on none. An error becomes one sentence on standard error of
/// rank 0, and the same exit status on all ranks. The sentence names the host if only rank 0 has a
/// problem with files.
///
/// With `isOneEnough`, a single rank of a launcher does not use MPI.
func runOnAllRanks(
  isOneEnough: Bool = false, _ body: (Communicator) throws -> Void
) throws {
  var world: Communicator?
  do {
    let started = try Communicator.start(isOneEnough: isOneEnough)
    world = started
    try body(started)
    try started.agree { try StandardOutput.flush() }
  } catch let error as ExitCode {
    throw error
  } catch {
    try? StandardOutput.flush()
    let local = exitStatus(of: error)
    let all = try world?.gather([local.rawValue]).flatMap(\.self) ?? [local.rawValue]
    // Only the failed rank knows the status of its error; the others have `disagreement`.
    let first = all.first { $0 != ExitStatus.disagreement.rawValue }
    let status = first.flatMap(ExitStatus.init) ?? .disagreement
    if status == .success { return }
    if world?.rank ?? 0 == 0 {
      let isLocal = all.contains(ExitStatus.disagreement.rawValue)
      let isOfHost = [.badData, .missingFile, .inputOutput].contains(local) && isLocal
      standardError("electra: \(isOfHost ? "rank 0 on \(hostName()): " : "")\(error)\n")
    }
    throw ExitCode(status.rawValue)
  }
}

/// Runs `body` in one process, with `reportingErrors`.
///
/// If a launcher started several ranks, rank 0 runs it; the others wait and end with the same
/// status.
func runOnOneRank(_ body: () throws -> Void) throws {
  var world: Communicator?
  try reportingErrors { world = try Communicator.start(isOneEnough: true) }
  guard let world, world.size > 1 else { return try reportingErrors(body) }
  var status: Int32 = 0
  if world.rank == 0 {
    do { try reportingErrors(body) } catch {
      status = (error as? ExitCode)?.rawValue ?? ExitStatus.inputOutput.rawValue
    }
  }
  try reportingErrors { status = try world.await(status) }
  if status != 0 { throw ExitCode(status) }
}

/// Checks that all ranks have the same program, MPI library, matrix kernels and options.
///
/// `--data` may differ, because each host can have a copy of the data. Every rank must call it.
func expectEqualPrograms(_ world: Communicator, _ command: some ParsableCommand) throws {
  if world.size == 1 { return }
  let program = CheckpointState.checksum(of: "/proc/self/exe") ?? ""
  try world.expectEqual(
    [
      ("program file", program), ("MPI library", Communicator.libraryVersion),
      ("OpenBLAS or processor type", MatrixLibrary.description),
    ] + optionValues(of: command).filter { $0.key != "option --data" })
}
