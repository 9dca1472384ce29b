//! Accounts as a table for people.

use crate::auth::Account;

/// One line per account.
pub(super) fn of(accounts: &[Account]) -> String {
    let width = accounts.iter().map(|account| account.username.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!("{:>6}  {:width$}  RIGHTS\n", "ID", "NAME");
    for account in accounts {
        let rights = match (account.is_active, account.is_superuser, account.is_staff) {
            (false, _, _) => "deactivated",
            (_, true, _) => "superuser",
            (_, _, true) => "staff",
            _ => "",
        };
        let line = format!("{:>6}  {:width$}  {rights}", account.id, account.username);
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
