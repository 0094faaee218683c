//! Answering a batch: the steps of [`Engine::answer`], each for many questions.
//!
//! A look-up among millions of names waits for memory several times, each wait as
//! long as hundreds of instructions. So each question asks for what it reads next
//! and lets the others go on meanwhile. Every reply is the one that
//! [`Engine::answer`] gives to that request alone.

use zone_image::{Generation, LookupName};

use super::{Action, Engine, Request, Source};
use crate::dns::ahead::{self, Ahead};
use crate::dns::denial::ApexProofs;
use crate::dns::query::Parsed;

/// Questions that take their steps together: enough to hide the waits, few enough
/// for the first cache.
pub const TURNS: usize = 64;

/// Where a batch reads the names of its questions to: made once, used for every batch,
/// since to clear it costs as much as a question.
#[derive(Debug)]
pub struct Names(Box<[LookupName; TURNS]>);

impl Default for Names {
    fn default() -> Self {
        Self(Box::new([const { LookupName::ROOT }; TURNS]))
    }
}

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
    pub fn answer_batch(
        &self,
        generation: &Generation,
        names: &mut Names,
        jobs: &mut [Option<Job<'_>>],
    ) {
        for jobs in jobs.chunks_mut(TURNS) {
            // A lone question has nobody to share its steps with.
            if let [Some(job)] = jobs {
                job.action = self.answer(generation, &job.request, job.out);
            } else {
                self.answer_together(generation, names, jobs);
            }
        }
    }

    fn answer_together(
        &self,
        generation: &Generation,
        names: &mut Names,
        jobs: &mut [Option<Job<'_>>],
    ) {
        let mut messages: [Option<(Parsed<'_>, Source<'_>)>; TURNS] = std::array::from_fn(|_| None);
        let mut questions: [Option<Ahead<'_, '_>>; TURNS] = std::array::from_fn(|_| None);
        let mut nearest = None;
        let begun = messages.iter_mut().zip(&mut questions).zip(&mut *names.0);
        for (job, ((message, question), name)) in jobs.iter().zip(begun) {
            if let Some(job) = job {
                let begun = self.begin(generation, &job.request, name, &mut nearest);
                if let (Parsed::Query(query), Source::Zone(zone)) = &begun {
                    *question = Some(Ahead::new(*zone, query));
                }
                *message = Some(begun);
            }
        }
        ahead::bring_near(&mut questions[..jobs.len()]);
        let mut of_apex = ApexProofs::default();
        for (job, (message, question)) in jobs.iter_mut().zip(messages.iter().zip(&questions)) {
            if let (Some(job), Some((parsed, source))) = (job, message) {
                let (request, question) = (&job.request, question.as_ref());
                let aside = self.hand_aside(generation, request, parsed, job.out);
                job.action = aside.unwrap_or_else(|| {
                    self.conclude(request, parsed, source, question, &mut of_apex, job.out)
                });
            }
        }
    }
}
