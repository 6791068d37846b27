import Collectives
import Foundation
import Testing

/// Launchers recognized by the environment, each tested in a separate process.
struct LauncherTests {
  @Test
  func withoutALauncherThereIsOneRank() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] { unsetenv(name) }
      let world = try Communicator.start()
      #expect(world.rank == 0 && world.size == 1)
      #expect(try world.sum([3]) == [3] && world.gather([1.5]) == [[1.5]])
      exit(0)
    }
  }

  /// Without PMI, each rank of srun would run as a world of one.
  @Test
  func srunThatNamesNoMPIIsRefused() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"] { unsetenv(name) }
      setenv("SLURM_STEP_NUM_TASKS", "2", 1)
      do {
        _ = try Communicator.start()
      } catch CollectivesError.launcherWithoutPMI(launcher: "srun", count: 2) {
        exit(0)
      }
      exit(1)
    }
  }

  /// A subcommand that needs one rank only does not use MPI, which srun may not support.
  @Test
  func oneRankOfALauncherIsEnoughWhereItIsAskedFor() async {
    await #expect(processExitsWith: .exitCode(0)) {
      for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"] { unsetenv(name) }
      setenv("SLURM_STEP_NUM_TASKS", "1", 1)
      exit(try Communicator.start(isOneEnough: true).size == 1 ? 0 : 1)
    }
  }

  @Test
  func sentencesNameTheLauncherAndTheWayOut() {
    let silent = CollectivesError.launcherWithoutPMI(launcher: "srun", count: 4)
    #expect("\(silent)".hasPrefix("srun started 4 ranks") && "\(silent)".contains("--mpi=pmix"))
    let other = CollectivesError.launcherDisagrees(
      launcher: "an MPICH launcher", expected: 2, library: "Open MPI v4.1.4")
    #expect("\(other)".contains("an MPICH launcher started 2 ranks"))
    #expect("\(other)".contains("built with Open MPI v4.1.4"))
  }
}
