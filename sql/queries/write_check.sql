-- Whether rows can be written: asked within a transaction that is rolled back.
update installation set epoch = epoch returning 1
