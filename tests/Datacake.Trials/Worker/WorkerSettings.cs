namespace Datacake.Trials.Worker;

/// <summary>The settings with which a worker starts its node.</summary>
sealed record WorkerSettings(byte NodeId, string Listen, string[] Seeds, string File)
{
    public string? Advertise { get; init; }

    /// <summary>Gets whether failures are noticed within a second (the local preset) instead of five (the LAN preset).</summary>
    public bool IsGossipLocal { get; init; }

    /// <summary>Gets the number of seconds by which the node's wall clock is ahead.</summary>
    public double OffsetSeconds { get; init; }

    /// <summary>Gets the PKCS#12 file with the node's certificate and key; <see langword="null"/> for no TLS.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>Gets the file with the certificate of the authority that issued all certificates.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>Gets whether a fresh store may replace the one that the cluster knows.</summary>
    public bool TakesOver { get; init; }

    /// <summary>Gets the cluster secret; <see langword="null"/> for none.</summary>
    public string? Secret { get; init; }

    /// <summary>Gets whether gossip uses datagrams.</summary>
    public bool IsGossipUdp { get; init; }

    /// <summary>Gets whether commits survive only the end of the process, not a power loss.</summary>
    public bool IsBuffered { get; init; }

    public double ReportMilliseconds { get; init; } = 500;

    /// <summary>Gets the largest document in bytes; 0 for the default.</summary>
    public int MaxDocumentLength { get; init; }
}
