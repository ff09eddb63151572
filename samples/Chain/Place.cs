namespace Datacake.Chain;

/// <summary>The address of a process's node, if it is one of the cluster, and that of its web application.</summary>
sealed record Place(string Url, string Node = "");
