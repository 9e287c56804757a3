-- The reason of a decision as data, so that it can be said in any language; the sentence stays as it was said that day.
ALTER TABLE decision ADD COLUMN reason TEXT;
