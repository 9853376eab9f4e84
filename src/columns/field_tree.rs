//! The fields seen so far as a tree of keys, laid out so that rows whose keys repeat in order cost one comparison a key.

use std::collections::HashMap;

/// Position of a field in its tree.
pub(super) type FieldId = u32;

/// No field.
pub(super) const NONE: FieldId = FieldId::MAX;

/// The field above those of the records.
pub(super) const RECORD_ROOT: FieldId = 0;

/// The field above those copied from above the records.
pub(super) const META_ROOT: FieldId = 1;

/// Fields with more children than this look them up in a map.
const FEW_CHILDREN: usize = 8;

/// Where the values of a field go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Not decided before the first value that needs it.
    Unknown,
    Column(u32),
    /// Becomes no column. The place is what its values are hashed with.
    Skipped {
        place: u64,
    },
    /// Not before the end of the row: another field may have the column. The position is that of a candidate.
    Waiting(u32),
}

/// What becomes of a field's objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Objects {
    Flatten,
    /// Kept as JSON. Only fields below it that the spec declares are looked at.
    Whole,
}

/// A key at one place of the records.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: Box<str>,
    pub(super) parent: FieldId,
    pub(super) route: Route,
    pub(super) objects: Objects,
    /// How many keys lead to it.
    pub(super) depth: usize,
    /// One more than the last row that had it.
    pub(super) seen: usize,
    /// The first key of the last object here.
    first: FieldId,
    /// The key that followed this one last time.
    next: FieldId,
    pub(super) children: Vec<FieldId>,
    by_key: HashMap<Box<str>, FieldId>,
}

/// All fields of a page.
#[derive(Debug)]
pub(super) struct FieldTree {
    pub(super) fields: Vec<Field>,
}

impl Field {
    fn new(key: &str, parent: FieldId, depth: usize) -> Field {
        Field {
            key: key.into(),
            parent,
            route: Route::Unknown,
            objects: Objects::Flatten,
            depth,
            seen: 0,
            first: NONE,
            next: NONE,
            children: Vec::new(),
            by_key: HashMap::new(),
        }
    }
}

impl FieldTree {
    /// Returns a tree of nothing but its roots.
    pub(super) fn new() -> FieldTree {
        FieldTree { fields: vec![Field::new("", NONE, 0), Field::new("", NONE, 0)] }
    }

    pub(super) fn field(&self, id: FieldId) -> &Field {
        &self.fields[id as usize]
    }

    pub(super) fn field_mut(&mut self, id: FieldId) -> &mut Field {
        &mut self.fields[id as usize]
    }

    /// Returns the child of that key when it is the one that came after `previous` (or first, after `NONE`) last time.
    #[inline]
    pub(super) fn predicted(&self, parent: FieldId, previous: FieldId, key: &str) -> Option<FieldId> {
        let id = if previous == NONE { self.fields[parent as usize].first } else { self.fields[previous as usize].next };
        let field = self.fields.get(id as usize)?;
        (*field.key == *key).then_some(id)
    }

    /// Returns the child of that key, and remembers that it came after `previous`.
    pub(super) fn found(&mut self, parent: FieldId, previous: FieldId, key: &str) -> Option<FieldId> {
        let id = self.child(parent, key)?;
        self.predict(parent, previous, id);
        Some(id)
    }

    /// Adds a child that was not found.
    pub(super) fn add(&mut self, parent: FieldId, previous: FieldId, key: &str) -> FieldId {
        let id = self.fields.len() as FieldId;
        let depth = self.field(parent).depth + 1;
        self.fields.push(Field::new(key, parent, depth));
        self.field_mut(parent).children.push(id);
        self.index_children(parent, id);
        self.predict(parent, previous, id);
        id
    }

    fn index_children(&mut self, parent: FieldId, added: FieldId) {
        let n_children = self.field(parent).children.len();
        if n_children <= FEW_CHILDREN {
            return;
        }
        let unindexed = if n_children == FEW_CHILDREN + 1 { self.field(parent).children.clone() } else { vec![added] };
        for id in unindexed {
            let key = self.field(id).key.clone();
            self.field_mut(parent).by_key.insert(key, id);
        }
    }

    fn predict(&mut self, parent: FieldId, previous: FieldId, id: FieldId) {
        if previous == NONE {
            self.field_mut(parent).first = id;
        } else {
            self.field_mut(previous).next = id;
        }
    }

    /// Follows keys from `root`, adding what is missing, and returns the last field.
    pub(super) fn insert(&mut self, root: FieldId, keys: &[String]) -> FieldId {
        let mut id = root;
        for key in keys {
            let previous = self.field(id).children.last().copied().unwrap_or(NONE);
            id = match self.child(id, key) {
                Some(child) => child,
                None => self.add(id, previous, key),
            };
        }
        id
    }

    /// Returns the child of that key.
    pub(super) fn child(&self, parent: FieldId, key: &str) -> Option<FieldId> {
        let field = self.field(parent);
        if field.children.len() > FEW_CHILDREN {
            return field.by_key.get(key).copied();
        }
        field.children.iter().copied().find(|&id| *self.field(id).key == *key)
    }

    /// Returns the keys from the root to the field.
    pub(super) fn keys(&self, id: FieldId) -> Vec<String> {
        let mut keys = Vec::with_capacity(self.field(id).depth);
        let mut id = id;
        while self.field(id).parent != NONE {
            keys.push(self.field(id).key.to_string());
            id = self.field(id).parent;
        }
        keys.reverse();
        keys
    }

    /// Returns the root above the field.
    pub(super) fn root_of(&self, id: FieldId) -> FieldId {
        let mut id = id;
        while self.field(id).parent != NONE {
            id = self.field(id).parent;
        }
        id
    }
}
