import ArgumentParser
import Collectives
import Platform
import Runs
import Tensors
import Training

/// Runs `body` on every rank, and writes what it printed.
///
/// `body` must throw on all ranks together. Its error becomes one sentence from rank zero, which names the
/// host where only that host's files are wrong, and one exit status on all.
func runOnAllRanks(_ body: (Communicator) throws -> Void) throws {
  var world: Communicator?
  do {
    let started = try Communicator.start()
    world = started
    try body(started)
    try started.agree { try StandardOutput.flush() }
  } catch let error as ExitCode {
    throw error
  } catch {
    try? StandardOutput.flush()
    let own = exitStatus(of: error)
    let all = try world?.gather([own.rawValue]).flatMap(\.self) ?? [own.rawValue]
    // The rank where the error arose knows its status; the others only know that a rank has failed.
    let first = all.first { $0 != ExitStatus.disagreement.rawValue }
    let status = first.flatMap(ExitStatus.init) ?? .disagreement
    if status == .success { return }
    if world?.rank ?? 0 == 0 {
      let isAlone = all.contains(ExitStatus.disagreement.rawValue)
      let isOfHost = [.badData, .missingFile, .inputOutput].contains(own) && isAlone
      standardError("electra: \(isOfHost ? "rank 0 on \(hostName()): " : "")\(error)\n")
    }
    throw ExitCode(status.rawValue)
  }
}

/// Runs `body`, which is the work of one process, as `reportingErrors` does.
///
/// Where a launcher started several ranks, rank zero runs it; the others wait, and end with its status.
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

/// The first meeting of the ranks: program, processors' kernels and options must be the same.
///
/// The folder of the data may be each host's own.
func expectEqualPrograms(_ world: Communicator, _ command: some ParsableCommand) throws {
  if world.size == 1 { return }
  let program = CheckpointState.checksum(of: "/proc/self/exe") ?? ""
  try world.expectEqual(
    [
      ("program file", program), ("MPI library", Communicator.libraryVersion),
      ("OpenBLAS or processor type", MatrixLibrary.description),
    ] + optionValues(of: command).filter { $0.key != "option --data" })
}
