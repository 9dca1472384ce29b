//! Consumers: one value per connection, with handlers for what happens to it.
