import Foundation
import TestSupport
import Testing

/// The archive of `release.sh` with a small program in place of electra, which takes minutes to
/// link, and what `image.sh` refuses.
@Suite(.serialized)
struct ReleaseTests {
  /// Runs shell lines in a folder with the archive of a program that reports version 9.8.7, and
  /// its unpacked folder `$release`.
  private func withRelease(_ lines: String) throws -> Program.Result {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      #include <stdio.h>
      int main(int count, char **words) {
        puts(count > 1 && words[1][0] == '-' ? "electra 9.8.7\\nOpen MPI\\nOpenBLAS" : words[1]);
      }
      """, "program.c")
    return try Program.shell(
      """
      clang program.c -o program && mkdir first second || exit
      release() { ELECTRA_PROGRAM=$PWD/program "$0/release.sh" $1 >$1/log; }
      release first && tar -xf first/electra-9.8.7-linux-x86_64.tar.gz || exit
      release=$PWD/electra-9.8.7-linux-x86_64
      unset ELECTRA_PROGRAM
      \(lines)
      """, [Program.launch], in: folder.path)
  }

  @Test
  func aReleaseSaysWhatItNeeds() throws {
    let result = try withRelease(
      """
      newest=$(objdump -T program | grep -oE 'GLIBC_[0-9.]+' | sort -V | tail -n 1)
      grep "^glibc  *${newest#GLIBC_} or newer" $release/RELEASE
      grep '^libraries' $release/RELEASE
      cmp <(head -n -2 first/log) $release/RELEASE
      """)
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[1].contains("libc.so.6"), "\(result.output)")
  }

  @Test
  func checksumsAgreeAndASecondArchiveHasTheSameBytes() throws {
    let result = try withRelease(
      """
      (cd first && sha256sum --check --quiet *.sha256) || exit
      (cd $release && sha256sum --check --quiet SHA256SUMS) || exit
      (cd $release && find . -type f ! -name SHA256SUMS | LC_ALL=C sort) >files
      sed 's/^[^ ]*  //' $release/SHA256SUMS | cmp - files || exit
      sleep 1; touch program; (umask 077; release second)
      cmp first/*.gz second/*.gz
      """)
    #expect(result.status == 0, "\(result.output) \(result.errors)")
  }

  /// The scripts of an unpacked release use its program, and need no compiler.
  @Test
  func theScriptsOfAReleaseFindItsProgram() throws {
    let result = try withRelease(
      """
      . $release/Launch/environment.sh
      build && echo "$electra"
      $release/Launch/mpirun.sh -np 2 evaluate
      PATH=/usr/bin:/bin $release/Launch/setup.sh 2>&1 | grep -i swift
      cat $release/LICENSE $release/licences/{Swift,swift-argument-parser,ICU}.txt | grep -ci -e 'apache license' -e unicode
      """)
    let lines = result.output.split(separator: "\n").map(String.init)
    try #require(lines.count == 4, "\(result.output) \(result.errors)")
    #expect(lines[0].hasSuffix("/electra-9.8.7-linux-x86_64/bin/electra"))
    #expect(lines[1...2] == ["evaluate", "evaluate"], "\(result.output) \(result.errors)")
    #expect(Int(lines.last ?? "") ?? 0 >= 4, "\(result.output) \(result.errors)")
  }

  @Test
  func linksOfTheGuideLeadToFilesOfTheRelease() throws {
    let result = try withRelease(
      """
      cd $release
      for page in README.md guide/*.md; do
        for target in $(grep -oE '\\]\\([^)]+\\)' $page | grep -v : | sed 's/^](//; s/)$//; s/#.*//'); do
          [ -e "$(dirname $page)/$target" ] && echo found || echo "$page: $target"
        done
      done | sort | uniq -c
      """)
    let kinds = result.output.split(separator: "\n")
    #expect(kinds.count == 1 && kinds[0].hasSuffix(" found"), "\(result.output) \(result.errors)")
  }

  @Test
  func aProgramThatWouldNotStartElsewhereIsRefused() throws {
    let folder = try TemporaryFolder()
    for (program, status, sentence) in [
      (Program.path, 65, ".so at run time; make it with Launch/build.sh"),
      ("/bin/true", 65, "/bin/true is not electra"),
      ("/nowhere", 66, "there is no program /nowhere"),
    ] {
      let result = try Program.shell(
        "exec \"$0\" .", ["\(Program.launch)/release.sh"],
        environment: ["ELECTRA_PROGRAM": program], in: folder.path)
      #expect(Int(result.status) == status)
      #expect(result.errors.contains(sentence), "\(result.errors)")
    }
    let result = try Program.script("release.sh", ["nowhere"], in: folder.path)
    #expect(result.status == 66 && result.errors.contains("there is no folder nowhere"))
  }

  @Test
  func aProgramThatCannotBeWrittenIsNotBuilt() throws {
    let folder = try TemporaryFolder()
    for (file, status, sentence) in [
      (".", 73, " is a folder; give a file"), ("nowhere/electra", 66, "there is no folder /"),
    ] {
      let result = try Program.script("build.sh", [file], in: folder.path)
      #expect(Int(result.status) == status)
      #expect(result.errors.contains(sentence), "\(result.errors)")
    }
  }

  @Test
  func anImageOfSomethingElseIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("", "empty")
    for (arguments, status, sentence) in [
      (["nowhere", "root"], 66, "there is no archive nowhere"),
      (["empty", "root"], 65, "empty is not a release: it has no bin/electra"),
    ] {
      let result = try Program.script("image.sh", arguments, in: folder.path)
      #expect(Int(result.status) == status)
      #expect(result.errors.contains(sentence), "\(result.errors)")
    }
    let existing = try withRelease("mkdir root; exec $release/Launch/image.sh first/*.gz root")
    #expect(existing.status == 73, "\(existing.errors)")
    #expect(existing.errors.contains("root exists; give another folder"))
  }

  /// setup.sh, image.sh and electra.def take the names of packages from one list.
  @Test
  func packagesAreNamedInOneFile() throws {
    let folder = try TemporaryFolder()
    let result = try Program.shell(
      """
      cd "$0" && names=$(awk '$1 == "run" || $1 == "build" { print $2 }' packages.txt)
      echo $names | wc -w
      grep -nwF "$names" setup.sh image.sh electra.def
      grep -c packages.txt setup.sh image.sh electra.def | grep -v ':[1-9]'
      """, [Program.launch], in: folder.path)
    let lines = result.output.split(separator: "\n")
    #expect(lines.count == 1 && (Int(lines.first ?? "") ?? 0) > 8, "\(result.output)")
  }
}
