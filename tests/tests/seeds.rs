//! Every seed of the fuzz targets, looked at as the targets look at it: what fuzzing has found once is
//! found again without a fuzzer. The seeds are in `fuzz/seeds/TARGET/`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use hopen_fuzz::TARGETS;

#[test]
fn every_seed_passes_its_target() {
    for (target, look_at) in TARGETS {
        let seeds = read(&Path::new(FUZZ).join("seeds").join(target));
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for (name, seed) in &seeds {
            // Captured, and shown where the test fails.
            println!("{target}/{name}");
            look_at(seed);
        }
    }
}

#[test]
fn every_folder_of_seeds_and_every_program_is_a_target() {
    let targets: BTreeSet<String> = TARGETS.map(|(target, _)| target.to_owned()).into();
    assert_eq!(names(&Path::new(FUZZ).join("seeds")), targets);
    let programs = names(&Path::new(FUZZ).join("fuzz_targets"));
    let programs = programs
        .iter()
        .map(|name| name.replace(".rs", ""))
        .collect();
    assert_eq!(targets, programs);
}

/// The seeds are read by all who clone this: they stay small.
#[test]
fn the_seeds_of_all_targets_take_less_than_a_megabyte() {
    let seeds = TARGETS.map(|(target, _)| read(&Path::new(FUZZ).join("seeds").join(target)));
    let bytes: usize = seeds.iter().flatten().map(|(_, seed)| seed.len()).sum();
    assert!(bytes < 1024 * 1024, "{bytes}");
}

/// Returns the files of a folder and what is in them.
fn read(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = names(folder).into_iter();
    let read = |name: String| {
        let seed = fs::read(folder.join(&name)).expect("it is readable");
        (name, seed)
    };
    names.map(read).collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).expect("it is there");
    let name = |file: fs::DirEntry| file.file_name().into_string().expect("it is ASCII");
    files
        .map(|file| name(file.expect("it is readable")))
        .collect()
}

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");
