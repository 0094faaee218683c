//! Classes, rules and actions.

use std::sync::Arc;

use icu_collections::codepointinvlist::CodePointInversionListBuilder;

use super::super::class::{self, COMBINATIONS, Class};
use super::super::rule::{COST_MAX, DEPTH_MAX, LABEL_MAX, Operator, Shape};
use super::super::{Action, Context, Rule, TableFault, VariantTrigger, Variants};
use super::{Element, Reader};

impl Reader {
    /// Everything below `rules`. What a name refers to has to stand before it, so there
    /// is no recursion (RFC 7940 section 6.3.4).
    pub(super) fn rules(&mut self, rules: &Element<'_>) -> Result<(), TableFault> {
        for child in rules.children()? {
            match child.name() {
                "action" => {
                    let action = self.action(&child)?;
                    self.actions.push(action);
                }
                "rule" => {
                    child.only_attributes(&["name"])?;
                    let name = child.required("name")?.to_owned();
                    let operators = self.operators(&child, true)?;
                    let rule = Rule::new(name, operators);
                    if rule.shape.cost > COST_MAX {
                        let reason = format!("rule {rule} would look at {} operators", COST_MAX);
                        return Err(child.fault(format!("{reason} and more for one label")));
                    }
                    let before = self.rules.insert(rule.name.clone(), Arc::new(rule));
                    if before.is_some() {
                        return Err(child.fault("there is a rule of that name already"));
                    }
                }
                name if is_class(name) => {
                    let name = child.required("name")?.to_owned();
                    let class = Arc::new(self.class(&child, &["name"])?);
                    if self.classes.insert(name, class).is_some() {
                        return Err(child.fault("there is a class of that name already"));
                    }
                }
                other => return Err(child.fault(format!("rules has no element {other:?}"))),
            }
        }
        Ok(())
    }

    /// A class that is declared here; `extra` are attributes that its place allows.
    fn class(&self, element: &Element<'_>, extra: &[&str]) -> Result<Class, TableFault> {
        if COMBINATIONS.contains(&element.name()) {
            element.only_attributes(extra)?;
            let mut classes = Vec::new();
            for child in element.children()? {
                classes.push(self.nested_class(&child, &[])?);
            }
            return class::combine(element.name(), &classes).ok_or_else(|| {
                element.fault("complement takes one class, union two or more, the others two")
            });
        }
        element.only_attributes(&[&["from-tag", "property"], extra].concat())?;
        element.must_be_leaf()?;
        let declared = match (element.attribute("from-tag"), element.attribute("property")) {
            (Some(tag), None) => Ok(self.tagged(tag)),
            (None, Some(_)) if !self.has_unicode_version => {
                Err("a class of a property needs meta to say unicode-version".to_owned())
            }
            (None, Some(property)) => class::with_property(property),
            (None, None) => class::listed(element.text()),
            (Some(_), Some(_)) => Err("a class is by tag or by property".to_owned()),
        };
        declared.map_err(|reason| element.fault(reason))
    }

    /// A class inside another or a rule: declared there, or by reference.
    fn nested_class(
        &self,
        element: &Element<'_>,
        extra: &[&str],
    ) -> Result<Arc<Class>, TableFault> {
        if !is_class(element.name()) {
            return Err(element.fault("a combination is made of classes"));
        }
        let reference = element.attribute("by-ref");
        let Some(name) = reference.filter(|_| element.name() == "class") else {
            return self.class(element, extra).map(Arc::new);
        };
        element.only_attributes(&[&["by-ref"], extra].concat())?;
        element.must_be_leaf()?;
        let class = self.classes.get(name).cloned();
        class.ok_or_else(|| element.fault(format!("no class {name} stands before this")))
    }

    /// Code points with a tag; none where nothing has it (section 6.2.2).
    fn tagged(&self, tag: &str) -> Class {
        let mut class = CodePointInversionListBuilder::new();
        for (first, last) in self.tags.get(tag).into_iter().flatten() {
            class.add_range(*first..=*last);
        }
        class.build()
    }

    /// The match operators in an element. Those around an anchor are allowed where
    /// `has_anchor`.
    fn operators(
        &self,
        parent: &Element<'_>,
        has_anchor: bool,
    ) -> Result<Vec<Operator>, TableFault> {
        let children = parent.children()?;
        let operators: Vec<Operator> = children
            .iter()
            .map(|child| self.operator(child, has_anchor))
            .collect::<Result<_, _>>()?;
        let looks = |child: &Element<'_>| ["look-behind", "look-ahead"].contains(&child.name());
        let shape = Shape::of(&operators);
        if children.iter().any(looks) && !shape.has_anchor {
            return Err(parent.fault("look-behind and look-ahead stand beside an anchor"));
        }
        if shape.depth > DEPTH_MAX {
            let reason = format!("rules are nested {DEPTH_MAX} deep at most");
            return Err(parent.fault(reason));
        }
        Ok(operators)
    }

    fn operator(&self, element: &Element<'_>, has_anchor: bool) -> Result<Operator, TableFault> {
        let plain = |operator, attributes: &[&str]| {
            element.only_attributes(attributes)?;
            element.must_be_leaf()?;
            Ok(operator)
        };
        let operator = match element.name() {
            "start" => plain(Operator::Start, &[])?,
            "end" => plain(Operator::End, &[])?,
            "anchor" if has_anchor => plain(Operator::Anchor, &[])?,
            "look-behind" | "look-ahead" if has_anchor => {
                element.only_attributes(&[])?;
                Operator::Group(self.operators(element, false)?)
            }
            "any" => plain(Operator::Any, &["count"])?,
            "char" => plain(
                Operator::Literal(element.code_points("cp")?),
                &["cp", "count"],
            )?,
            "choice" => {
                element.only_attributes(&["count"])?;
                let inner = self.operators(element, has_anchor)?;
                if inner.len() < 2 {
                    return Err(element.fault("a choice has two alternatives or more"));
                }
                Operator::Choice(inner)
            }
            "rule" => self.inner_rule(element, has_anchor)?,
            name if is_class(name) => Operator::Class(self.nested_class(element, &["count"])?),
            other => return Err(element.fault(format!("no match operator {other:?} here"))),
        };
        counted(operator, element)
    }

    /// A rule inside a rule: one by reference, or a group.
    fn inner_rule(&self, element: &Element<'_>, has_anchor: bool) -> Result<Operator, TableFault> {
        let Some(name) = element.attribute("by-ref") else {
            element.only_attributes(&["count"])?;
            return self.operators(element, has_anchor).map(Operator::Group);
        };
        element.only_attributes(&["by-ref", "count"])?;
        element.must_be_leaf()?;
        self.rule(name, element).map(Operator::Named)
    }

    /// A rule by its name.
    fn rule(&self, name: &str, at: &Element<'_>) -> Result<Arc<Rule>, TableFault> {
        let rule = self.rules.get(name).cloned();
        rule.ok_or_else(|| at.fault(format!("no rule {name} is defined")))
    }

    /// What the attribute `wanted` or `unwanted` says: a rule to match or not to match.
    pub(super) fn condition(
        &self,
        element: &Element<'_>,
        wanted: &str,
        unwanted: &str,
    ) -> Result<Option<Context>, TableFault> {
        let (name, is_wanted) = match (element.attribute(wanted), element.attribute(unwanted)) {
            (None, None) => return Ok(None),
            (Some(name), None) => (name, true),
            (None, Some(name)) => (name, false),
            (Some(_), Some(_)) => {
                return Err(element.fault(format!("{wanted} and {unwanted} exclude each other")));
            }
        };
        let rule = self.rule(name, element)?;
        Ok(Some(Context { rule, is_wanted }))
    }

    fn action(&self, element: &Element<'_>) -> Result<Action, TableFault> {
        const TRIGGERS: [(&str, VariantTrigger); 3] = [
            ("any-variant", VariantTrigger::Any),
            ("all-variants", VariantTrigger::All),
            ("only-variants", VariantTrigger::Only),
        ];
        element.only_attributes(&[
            "disp",
            "match",
            "not-match",
            "any-variant",
            "all-variants",
            "only-variants",
        ])?;
        element.must_be_leaf()?;
        let rule = self.condition(element, "match", "not-match")?;
        if rule.as_ref().is_some_and(|rule| rule.rule.shape.has_anchor) {
            return Err(element.fault("a rule with an anchor has no place in an action"));
        }
        let mut triggers = TRIGGERS.iter().filter_map(|(name, kind)| {
            let types = element.attribute(name)?.split_ascii_whitespace();
            let types = types.map(str::to_owned).collect();
            Some(Variants { kind: *kind, types })
        });
        let variants = triggers.next();
        if triggers.next().is_some() {
            return Err(element.fault("an action has one trigger by variants"));
        }
        Ok(Action {
            disposition: element.required("disp")?.to_owned(),
            rule,
            variants,
        })
    }
}

/// Whether an element of that name is a class.
fn is_class(name: &str) -> bool {
    name == "class" || COMBINATIONS.contains(&name)
}

/// The operator as often as `count` says (section 6.3.3).
fn counted(operator: Operator, element: &Element<'_>) -> Result<Operator, TableFault> {
    let Some(text) = element.attribute("count") else {
        return Ok(operator);
    };
    if operator.shape().is_positional {
        return Err(element.fault("what has a place in the label cannot be counted"));
    }
    let number = |text: &str| text.parse::<usize>().ok().filter(|n| *n <= LABEL_MAX);
    let count = if let Some(least) = text.strip_suffix('+') {
        number(least).map(|least| (least, None))
    } else if let Some((least, most)) = text.split_once(':') {
        let bounds = number(least).zip(number(most));
        let bounds = bounds.filter(|(least, most)| least <= most && *most > 0);
        bounds.map(|(least, most)| (least, Some(most)))
    } else {
        let exactly = number(text).filter(|count| *count > 0);
        exactly.map(|count| (count, Some(count)))
    };
    let (least, most) = count.ok_or_else(|| {
        let reason = format!("a count is 2, 2+ or 2:3, with numbers up to {LABEL_MAX}");
        element.fault(reason)
    })?;
    Ok(Operator::Repeat(Box::new(operator), least, most))
}
