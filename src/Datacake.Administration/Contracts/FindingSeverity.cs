namespace Datacake.Administration;

/// <summary>The urgency of a finding.</summary>
public enum FindingSeverity
{
    /// <summary>Worth knowing. Nothing has to be done.</summary>
    Information,

    /// <summary>Something is missing, is wrong, or will fail. The node still writes.</summary>
    Warning,

    /// <summary>The node cannot write.</summary>
    Error,
}
