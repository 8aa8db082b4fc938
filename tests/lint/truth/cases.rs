//! The statements, by what they are about. They meet the schema of `setup.sql`.

mod columns;
mod constraints;
mod data;
mod indexes;
mod maintenance;
mod objects;
mod partitions;
mod tables;
mod types;
mod views;

use crate::case::Case;

/// All of them, under the headings of the golden files.
pub const ALL: [(&str, &[Case]); 10] = [
    ("Columns", columns::CASES),
    ("Types of columns", types::CASES),
    ("Constraints", constraints::CASES),
    ("Indexes", indexes::CASES),
    ("Tables", tables::CASES),
    ("Partitions and heirs", partitions::CASES),
    ("Views and sequences", views::CASES),
    ("Other objects", objects::CASES),
    ("Rows", data::CASES),
    ("Maintenance", maintenance::CASES),
];
