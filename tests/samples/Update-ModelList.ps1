<#
.SYNOPSIS
Keeps the models of a list current.
.DESCRIPTION
The list is a CSV file with a column Name. Each model is saved, and only what is new of it is fetched. One object a model
tells what happened, so that the output can be logged or mailed; a model that fails does not hold up the next one. With -WhatIf
it tells what would happen: Outdated is a model of which something is missing.
.EXAMPLE
./Update-ModelList.ps1 -List models.csv | Export-Csv updates.csv -Append
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)]
    [string] $List,

    [string] $StorePath,

    [uri] $Registry,

    [long] $BandwidthLimit
)

$common = @{ VerifyInline = $true }
foreach ($name in 'StorePath', 'Registry', 'BandwidthLimit') {
    if ($PSBoundParameters.ContainsKey($name)) {
        $common[$name] = $PSBoundParameters[$name]
    }
}

foreach ($row in Import-Csv -LiteralPath $List) {
    $blobs = @(Save-ModelBlob -Name $row.Name @common -ErrorAction SilentlyContinue -ErrorVariable problem)
    $new = @($blobs | Where-Object Status -eq 'Downloaded')
    $missing = if ($WhatIfPreference -and -not $problem) {
        # What is there is told of; the rest of the manifest would be fetched.
        $source = if ($Registry) { @{ Registry = $Registry } } else { @{} }
        $manifest = Get-ModelManifest -Name $row.Name @source -ErrorAction SilentlyContinue -ErrorVariable problem
        @(@($manifest.Layers) + $manifest.Config | Where-Object { $_ -and $blobs.Digest -notcontains $_.Digest } | Sort-Object Digest -Unique)
    }
    [pscustomobject]@{
        Date     = Get-Date
        Name     = $row.Name
        Result   = if ($problem) { 'Failed' } elseif ($missing) { 'Outdated' } elseif ($new) { 'Updated' } else { 'Current' }
        NewBytes = if ($missing) { [long] ($missing | Measure-Object -Property Size -Sum).Sum } else { [long] ($new | Measure-Object -Property BytesReceived -Sum).Sum }
        Problem  = ($problem | ForEach-Object { $_.Exception.Message }) -join ' '
    }
}
