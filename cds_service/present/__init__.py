"""From findings to the cards this client can show: grouping, order, actions, words. Decides no medicine."""
