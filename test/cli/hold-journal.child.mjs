// Holds the write lock of a journal until it is killed.
import Database from 'libsql';

const db = new Database(process.argv[2]);
db.exec('BEGIN IMMEDIATE');
process.stdout.write('held\n');
setInterval(() => {}, 1000);
