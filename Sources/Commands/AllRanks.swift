import ArgumentParser
import Collectives

/// Runs `body` on every rank, and turns an error into one sentence from rank zero and one exit status
/// on all. `body` sees to it that all ranks throw together. What is wrong with files on one host names
/// it.
func runOnAllRanks(_ body: (Communicator) throws -> Void) throws {
  var world: Communicator?
  do {
    let started = try Communicator.start()
    world = started
    try body(started)
  } catch let error as ExitCode {
    throw error
  } catch {
    let own = exitStatus(of: error)
    let all = try world?.gather([own.rawValue]).flatMap(\.self) ?? [own.rawValue]
    // The rank where the error arose knows its status; the others only know that a rank has failed.
    let first = all.first { $0 != ExitStatus.disagreement.rawValue }
    let status = first.flatMap(ExitStatus.init) ?? .disagreement
    if world?.rank ?? 0 == 0 {
      let isAlone = all.contains(ExitStatus.disagreement.rawValue)
      let isOfHost = [.badData, .missingFile, .inputOutput].contains(own) && isAlone
      standardError("electra: \(isOfHost ? "rank 0 on \(hostName()): " : "")\(error)\n")
    }
    throw ExitCode(status.rawValue)
  }
}
