<#
.SYNOPSIS
Reads every model of a store and makes one report, ready to be mailed.
.DESCRIPTION
The report has a Subject and a Body in plain text, and Problems as objects. What is wrong is diagnosed, so that the mail says
whether the disk, the way it is read or the memory is at fault. Meant for the night: every byte of the store is read.
.EXAMPLE
$report = ./Test-ModelStore.ps1
if ($report.Problems) { Send-MailMessage -To admin@example.org -Subject $report.Subject -Body $report.Body -SmtpServer mail }
#>
[CmdletBinding()]
param(
    [string] $StorePath
)

$store = @{}
if ($StorePath) {
    $store.StorePath = $StorePath
}

$models = @(Get-ModelManifest -Local @store -ErrorAction SilentlyContinue -ErrorVariable unread)
$tested = @($models | Test-ModelBlob @store)
$problems = @(
    # A store that is not there, or a manifest that cannot be read.
    foreach ($problem in $unread) {
        [pscustomobject]@{
            Name           = $problem.TargetObject
            Digest         = $null
            Status         = ($problem.FullyQualifiedErrorId -split ',')[0]
            Verdict        = $null
            Recommendation = "$($problem.Exception.Message) $($problem.ErrorDetails.RecommendedAction)"
        }
    }

    foreach ($blob in $tested | Where-Object Status -ne 'Valid') {
        $diagnosis = Test-ModelBlob $blob.Name @store -Digest $blob.Digest -Diagnose -ErrorAction SilentlyContinue -ErrorVariable why
        [pscustomobject]@{
            Name           = $blob.Name
            Digest         = $blob.Digest
            Status         = $blob.Status
            Verdict        = $diagnosis.Verdict
            Recommendation = if ($diagnosis) { $diagnosis.Recommendation } else { $why[0].ErrorDetails.RecommendedAction }
        }
    }
)

$computer = [System.Environment]::MachineName
$size = ($tested | Measure-Object -Property Size -Sum).Sum
$lines = @('{0} models with {1} blobs were read, {2:0.0} GB.' -f $models.Count, $tested.Count, ($size / 1GB))
$lines += foreach ($problem in $problems) {
    "$($problem.Name) $($problem.Digest): $($problem.Status) $($problem.Verdict)", "    $($problem.Recommendation)"
}

[pscustomobject]@{
    Date     = Get-Date
    Computer = $computer
    Subject  = if ($problems) { "${computer}: $($problems.Count) model files damaged or not readable" } else { "${computer}: all model files are right" }
    Body     = $lines -join [System.Environment]::NewLine
    Models   = $models.Count
    Blobs    = $tested.Count
    Problems = $problems
}
