import ArgumentParser
import Collectives

/// Runs `body` on every rank, and turns an error into one sentence from rank zero and one exit status
/// on all. `body` sees to it that all ranks throw together.
func runOnAllRanks(_ body: (Communicator) throws -> Void) throws {
  var world: Communicator?
  do {
    let started = try Communicator.start()
    world = started
    try body(started)
  } catch let error as ExitCode {
    throw error
  } catch {
    if world?.rank ?? 0 == 0 { standardError("electra: \(error)\n") }
    throw ExitCode(try agreed(exitStatus(of: error), world).rawValue)
  }
}

/// The status of the rank where the error arose: the others only know that a rank has failed.
private func agreed(_ own: ExitStatus, _ world: Communicator?) throws -> ExitStatus {
  let all = try world?.gather([own.rawValue]).flatMap(\.self) ?? [own.rawValue]
  let first = all.first { $0 != ExitStatus.disagreement.rawValue }
  return first.flatMap(ExitStatus.init) ?? .disagreement
}
