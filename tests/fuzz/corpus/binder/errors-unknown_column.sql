CREATE TABLE bids (price INT);
SELECT prise FROM bids;
