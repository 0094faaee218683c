//! Answering a batch: the steps of [`Engine::answer`], many questions in turns.
//!
//! A look-up among millions of names waits for memory several times, each wait as
//! long as hundreds of instructions. So each question asks for what it reads next
//! and lets the others go on meanwhile. Every reply is the one that
//! [`Engine::answer`] gives to that request alone.

use zone_image::{Generation, LookupName};

use super::{Action, Engine, Request, Task};

/// Questions that take turns: enough to hide the waits, few enough for the first cache.
pub const TURNS: usize = 32;
/// Most rounds: nodes, page, entry, name and bodies of two trees at the most labels
/// that anybody asks for in earnest. Who has not done by then waits alone.
const ROUNDS_MAX: usize = 64;

/// One request of a batch.
#[derive(Debug)]
pub struct Job<'b> {
    /// What is asked.
    pub request: Request<'b>,
    /// For the reply, as for [`Engine::answer`].
    pub out: &'b mut [u8],
    /// What came of it.
    pub action: Action,
}

impl Engine {
    /// Answers every job that is there, as [`Engine::answer`] does one.
    pub fn answer_batch(&self, generation: &Generation, jobs: &mut [Option<Job<'_>>]) {
        for jobs in jobs.chunks_mut(TURNS) {
            self.answer_in_turns(generation, jobs);
        }
    }

    fn answer_in_turns(&self, generation: &Generation, jobs: &mut [Option<Job<'_>>]) {
        // Names stand apart, so that they are read in place and never moved.
        let mut names = [const { LookupName::ROOT }; TURNS];
        let mut tasks: [Option<Task<'_, '_>>; TURNS] = [const { None }; TURNS];
        let tasks = &mut tasks[..jobs.len()];
        for ((task, job), name) in tasks.iter_mut().zip(&*jobs).zip(&mut names) {
            if let Some(job) = job {
                *task = Some(self.begin(generation, &job.request, name));
            }
        }
        // A lone question has nobody to take turns with.
        let rounds = if jobs.len() > 1 { ROUNDS_MAX } else { 0 };
        for _ in 0..rounds {
            let mut busy = false;
            for task in tasks.iter_mut().flatten() {
                busy |= task.advance();
            }
            if !busy {
                break;
            }
        }
        for (task, job) in tasks.iter_mut().zip(jobs) {
            if let (Some(task), Some(job)) = (task, job) {
                job.action = self.conclude(&job.request, task, job.out);
            }
        }
    }
}
