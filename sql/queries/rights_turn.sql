-- One coordinator at a time makes the broker's rights follow the rows, which it reads when it has its turn.
select from turns where name = 'rights' for update
