//! task_generator
