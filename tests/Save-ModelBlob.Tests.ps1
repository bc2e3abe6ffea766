BeforeDiscovery {
    # Windows PowerShell comes without it.
    $hasThreadJob = [bool] (Get-Command Start-ThreadJob -ErrorAction Ignore)
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry

    # What a job takes by $using: is a variable.
    $modulePath = Get-StagedModulePath
    $name = $registry.Name

    function Get-FileSha256([string] $Path) {
        'sha256:' + (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
    }

    # The files that this process has open, where the system tells.
    function Get-OpenFile {
        if (Test-Path -LiteralPath "/proc/$PID/fd") {
            [System.IO.Directory]::GetFiles("/proc/$PID/fd") | ForEach-Object { [System.IO.FileInfo]::new($_).LinkTarget }
        }
    }

    function Get-StoreFile([string] $Path) {
        if (Test-Path -LiteralPath $Path) {
            Get-ChildItem -LiteralPath $Path -Recurse -File -Force | Where-Object FullName -NotMatch '[\\/]\.psmodel[\\/]' | ForEach-Object FullName
        }
    }
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Save-ModelBlob' {
    BeforeEach {
        $store = Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))
    }

    Context 'a model that behaves' {
        It 'is saved and verified inline' {
            $blobs = @(Save-ModelBlob -Name $registry.Name -StorePath $store -VerifyInline)

            $blobs.Count | Should -Be 5
            $blobs[0] | Should -BeOfType ([PSModel.ModelBlobDigest])
            $blobs.Status | Should -Be (@('Downloaded') * 5)
            $blobs.Verification | Should -Be (@('Inline') * 5)
            $blobs.Verified | Should -Not -Contain $false
            foreach ($blob in $blobs) {
                Get-FileSha256 $blob.Path | Should -Be $blob.Digest
                $blob.ActualDigest | Should -Be $blob.Digest
                $blob.PSPath | Should -Be $blob.Path
                Split-Path -Leaf $blob.Path | Should -Be $blob.Digest.Replace(':', '-')
            }
        }

        It 'is read back without the switch' {
            (Save-ModelBlob $registry.Name $store).Verification | Should -Be (@('ReadBack') * 5)
        }

        It 'is listed by the store afterwards, with the manifest unchanged' {
            $null = Save-ModelBlob $registry.Name $store -VerifyInline
            $local = Get-ModelManifest -Local -StorePath $store
            $remote = Get-ModelManifest $registry.Name
            $local.Digest | Should -Be $remote.Digest
            Get-FileSha256 $local.Source | Should -Be $remote.Digest
        }

        It 'is not fetched twice' {
            $null = Save-ModelBlob $registry.Name $store -VerifyInline
            $second = Save-ModelBlob $registry.Name $store -VerifyInline | Sort-Object Size -Descending
            $second.Status | Should -Be (@('AlreadyPresent') * 5)
            ($second | Measure-Object BytesReceived -Sum).Sum | Should -Be 0
        }

        It 'is fetched again with -Force' {
            $null = Save-ModelBlob $registry.Name $store -VerifyInline
            (Save-ModelBlob $registry.Name $store -VerifyInline -Force).Status | Should -Be (@('Downloaded') * 5)
        }

        It 'takes names from the pipeline, by value and by property' {
            $registry.Name | Save-ModelBlob -StorePath $store -VerifyInline | Should -HaveCount 5
            [pscustomobject]@{ Model = $registry.Name } | Save-ModelBlob -StorePath $store -VerifyInline | Should -HaveCount 5
            "Name`n$($registry.Name)" | ConvertFrom-Csv | Save-ModelBlob -StorePath $store -VerifyInline | Should -HaveCount 5
        }

        It 'takes a manifest from the pipeline' {
            Get-ModelManifest $registry.Name | Save-ModelBlob -StorePath $store -VerifyInline | Should -HaveCount 5
            Get-ModelManifest -Local -StorePath $store | Should -HaveCount 1
        }

        It 'is saved under its own name from another registry' {
            $blobs = Save-ModelBlob demo $store -VerifyInline -Registry $registry.Address | Sort-Object Size -Descending
            $blobs[0].Name | Should -Be 'demo:latest'
            Join-Path $store 'manifests/registry.ollama.ai/library/demo/latest' | Should -Exist
        }

        It 'gives only the blobs that are asked for, and no manifest' {
            $digest = (Get-ModelManifest $registry.Name).Config.Digest
            (Save-ModelBlob $registry.Name $store -VerifyInline -Digest $digest).Digest | Should -Be $digest
            Join-Path $store 'manifests' | Should -Not -Exist
        }

        It 'goes through a pipeline whole' {
            $tested = Get-ModelManifest $registry.Name | Save-ModelBlob -StorePath $store -VerifyInline | Test-ModelBlob
            $tested.Status | Should -Be (@('Valid') * 5)
        }

        It 'stops for Select-Object -First' {
            Save-ModelBlob $registry.Name $store -VerifyInline | Select-Object -First 1 | Should -HaveCount 1
            Join-Path $store 'manifests' | Should -Not -Exist
        }

        It 'stops in the middle of a blob for Select-Object -First, closes its files and keeps what has arrived' {
            $first = Save-ModelBlob $registry.Name $store -VerifyInline -BandwidthLimit 4MB -IncludeProgress | Select-Object -First 1
            $first | Should -BeOfType ([PSModel.ModelBlobProgress])
            Get-OpenFile | Where-Object { $_ -like "$store*" } | Should -BeNullOrEmpty
            Join-Path $store 'blobs' | Should -Not -Exist

            $second = Save-ModelBlob $registry.Name $store -VerifyInline | Sort-Object Size -Descending
            $second[0].BytesResumed | Should -BeGreaterThan 0
            $second[0].BytesResumed + $second[0].BytesReceived | Should -Be $second[0].Size
        }

        It 'takes its names from the Name column of a file' {
            $file = Join-Path $TestDrive 'models.csv'
            @"
Comment,Name
one,$($registry.Name)
another,$($registry.Prefix)cut
"@ | Set-Content -LiteralPath $file
            Import-Csv $file | Save-ModelBlob -StorePath $store -VerifyInline | Should -HaveCount 10
            Get-ModelManifest -Local -StorePath $store | Should -HaveCount 2
        }

        It 'gives objects that CSV and JSON keep' {
            $objects = Save-ModelBlob $registry.Name $store -VerifyInline -IncludeProgress
            foreach ($kind in 'ModelBlobDigest', 'ModelBlobProgress') {
                $some = @($objects | Where-Object { $_.GetType().Name -eq $kind })
                $file = Join-Path $TestDrive "$kind.csv"
                $some | Export-Csv $file -NoTypeInformation
                $rows = @(Import-Csv $file)
                $read = @(ConvertTo-Json $some -WarningVariable truncated | ConvertFrom-Json)
                $truncated | Should -BeNullOrEmpty
                $rows.Count | Should -Be $some.Count
                for ($i = 0; $i -lt $some.Count; $i++) {
                    $rows[$i].Digest | Should -Be $some[$i].Digest
                    foreach ($property in $some[$i].PSObject.Properties) {
                        $text = if ($null -eq $property.Value) { '' } else { $property.Value.ToString() }
                        $rows[$i].($property.Name) | Should -Be $text -Because "$kind.$($property.Name) is a plain value"
                        if ($property.Value -isnot [timespan]) {
                            $read[$i].($property.Name) | Should -Be $property.Value
                        }
                    }
                }
            }
        }

        It 'keeps to a bandwidth limit and tells its progress' {
            $objects = Save-ModelBlob $registry.Name $store -VerifyInline -BandwidthLimit 16MB -IncludeProgress
            $progress = @($objects | Where-Object { $_ -is [PSModel.ModelBlobProgress] -and $_.TotalBytes -gt 1MB })
            $progress.Count | Should -BeGreaterThan 1
            $bytes = @($progress.BytesTransferred)
            $bytes | Should -Be ($bytes | Sort-Object)
            $progress[-1].PercentComplete | Should -Be 100
        }
    }

    Context 'in a job' {
        It 'runs in a thread' -Skip:(-not $hasThreadJob) {
            $job = Start-ThreadJob {
                Import-Module $using:modulePath
                Save-ModelBlob $using:name $using:store -VerifyInline
            }
            $blobs = $job | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
            $blobs.Status | Should -Be (@('Downloaded') * 5)
            $blobs[0] | Should -BeOfType ([PSModel.ModelBlobDigest])
        }

        It 'runs in a process, and what comes back by remoting can be tested' {
            $job = Start-Job {
                Import-Module $using:modulePath
                Save-ModelBlob $using:name $using:store -VerifyInline
            }
            $blobs = $job | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
            $blobs.Status | Should -Be (@('Downloaded') * 5)
            $blobs[0].Elapsed | Should -BeOfType ([timespan])
            $blobs[0].PSPath | Should -Be $blobs[0].Path
            ($blobs | Test-ModelBlob).Status | Should -Be (@('Valid') * 5)
        }

        It 'stops with its job and closes its files' -Skip:(-not $hasThreadJob) {
            $job = Start-ThreadJob {
                Import-Module $using:modulePath
                Save-ModelBlob $using:name $using:store -VerifyInline -BandwidthLimit 1MB -IncludeProgress
            }
            while ($job.State -in 'NotStarted', 'Running' -and $job.Output.Count -eq 0) {
                $null = Wait-Job $job -Timeout 1
            }

            Stop-Job $job
            $job.State | Should -Be 'Stopped'
            Remove-Job $job
            Get-OpenFile | Where-Object { $_ -like "$store*" } | Should -BeNullOrEmpty
            Join-Path $store 'blobs' | Should -Not -Exist
        }
    }

    Context '-WhatIf' {
        It 'changes nothing' {
            Save-ModelBlob $registry.Name $store -VerifyInline -WhatIf | Should -BeNullOrEmpty
            $store | Should -Not -Exist
        }
    }

    Context 'OLLAMA_VERIFY_INLINE_HASH' {
        AfterEach {
            $env:OLLAMA_VERIFY_INLINE_HASH = $null
        }

        It 'decides where the switch is left out: <Value> means <Verification>' -TestCases @(
            @{ Value = '1'; Verification = 'Inline' }
            @{ Value = 'true'; Verification = 'Inline' }
            @{ Value = 'on'; Verification = 'Inline' }
            @{ Value = '0'; Verification = 'ReadBack' }
            @{ Value = 'no'; Verification = 'ReadBack' }
        ) {
            $env:OLLAMA_VERIFY_INLINE_HASH = $Value
            (Save-ModelBlob $registry.Name $store)[0].Verification | Should -Be $Verification
        }

        It 'is overridden by -VerifyInline:$false' {
            $env:OLLAMA_VERIFY_INLINE_HASH = '1'
            (Save-ModelBlob $registry.Name $store -VerifyInline:$false)[0].Verification | Should -Be 'ReadBack'
        }
    }

    Context 'a model that misbehaves' {
        It 'is right in the end though every connection is cut' {
            $blobs = Save-ModelBlob "$($registry.Prefix)cut" $store -VerifyInline | Sort-Object Size -Descending
            $blobs[0].RetryCount | Should -BeGreaterThan 0
            Get-FileSha256 $blobs[0].Path | Should -Be $blobs[0].Digest
        }

        It '<Model> gives <Id> and changes no store' -TestCases @(
            @{ Model = 'flipped'; Id = 'DigestMismatch'; Category = 'InvalidData' }
            @{ Model = 'lost'; Id = 'BlobNotFound'; Category = 'ObjectNotFound' }
            @{ Model = 'private'; Id = 'AuthenticationFailed'; Category = 'AuthenticationError' }
            @{ Model = 'portal'; Id = 'UnexpectedStatus'; Category = 'ConnectionError' }
        ) {
            $digest = (Get-ModelManifest "$($registry.Prefix)$Model").Layers[0].Digest
            Save-ModelBlob "$($registry.Prefix)$Model" $store -VerifyInline -Digest $digest -MaximumRetryCount 1 -RetryIntervalSec 0 -ErrorVariable problem -ErrorAction SilentlyContinue |
                Should -BeNullOrEmpty

            $problem | Should -HaveCount 1
            $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
            $problem[0].CategoryInfo.Category | Should -Be $Category
            $problem[0].TargetObject | Should -Be $digest
            $problem[0].Exception | Should -BeOfType ([PSModel.ModelException])
            $problem[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
            Get-StoreFile $store | Should -BeNullOrEmpty
        }
    }

    Context 'bad input' {
        It '<Id> for <Parameters.Name>' -TestCases @(
            @{ Parameters = @{ Name = 'bad name' }; Id = 'InvalidModelName' }
            @{ Parameters = @{ Name = 'x:' }; Id = 'InvalidModelName' }
            @{ Parameters = @{ Name = '../../x' }; Id = 'InvalidModelName' }
            @{ Parameters = @{ Name = 'x'; Digest = 'sha256:short' }; Id = 'InvalidDigest' }
            @{ Parameters = @{ Name = 'http://registry.example/library/x' }; Id = 'UnencryptedRefused' }
        ) {
            Save-ModelBlob @Parameters -StorePath $store -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem[0].FullyQualifiedErrorId | Should -BeLike "$Id,*"
            $store | Should -Not -Exist
        }

        It 'ManifestNotFound for a model that is not there' {
            Save-ModelBlob "$($registry.Prefix)none" $store -ErrorVariable problem -ErrorAction SilentlyContinue
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'ManifestNotFound,*'
            $problem[0].TargetObject | Should -Be "$($registry.Prefix)none"
        }

        It 'becomes terminating with -ErrorAction Stop' {
            { Save-ModelBlob 'bad name' $store -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidModelName,*'
        }

        It 'does not keep the next model from coming' {
            "$($registry.Prefix)none", $registry.Name | Save-ModelBlob -StorePath $store -VerifyInline -ErrorAction SilentlyContinue | Should -HaveCount 5
        }
    }

    Context 'a blob that is damaged on the disk' {
        BeforeEach {
            $saved = Save-ModelBlob $registry.Name $store -VerifyInline | Sort-Object Size -Descending
            $bytes = [System.IO.File]::ReadAllBytes($saved[0].Path)
            $bytes[5MB] = $bytes[5MB] -bxor 1
            [System.IO.File]::WriteAllBytes($saved[0].Path, $bytes)
        }

        It 'is repaired by fetching the damaged block alone' {
            $repaired = Save-ModelBlob $registry.Name $store -Repair | Sort-Object Size -Descending
            $repaired.Status | Should -Be @('Repaired', 'AlreadyPresent', 'AlreadyPresent', 'AlreadyPresent', 'AlreadyPresent')
            $repaired.Verified | Should -Not -Contain $false
            $repaired.Verification | Should -Be (@('ReadBack') * 5)
            $repaired[0].BytesReceived | Should -Be 1MB
            Get-FileSha256 $saved[0].Path | Should -Be $saved[0].Digest
        }

        It 'stays as it is with -WhatIf' {
            $before = Get-FileSha256 $saved[0].Path
            $null = Save-ModelBlob $registry.Name $store -Repair -WhatIf
            Get-FileSha256 $saved[0].Path | Should -Be $before
        }

        It 'is fetched whole where the store has no block map of it' {
            Remove-Item -LiteralPath (Join-Path $store '.psmodel') -Recurse -Force
            $repaired = Save-ModelBlob $registry.Name $store -Digest $saved[0].Digest -Repair
            $repaired.Status | Should -Be 'Repaired'
            $repaired.BytesReceived | Should -Be $saved[0].Size
            Get-FileSha256 $saved[0].Path | Should -Be $saved[0].Digest
        }
    }

    Context 'completion' {
        BeforeAll {
            function Complete([string] $Line) {
                [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
            }

            $full = Join-Path $TestDrive 'full store'
            $null = Save-ModelBlob demo $full -VerifyInline -Registry $registry.Address
        }

        It 'completes names from the store' {
            (Complete "Save-ModelBlob -StorePath '$full' -Name DE").CompletionText | Should -Be 'demo:latest'
            (Complete "Save-ModelBlob -StorePath '$full' -Name none").Count | Should -Be 0
        }

        It 'completes the digests of the named model and says what they are' {
            $digests = Complete "Save-ModelBlob demo '$full' -Digest "
            $digests.CompletionText | Should -Be (Save-ModelBlob demo $full -Registry $registry.Address).Digest
            $digests[0].ToolTip | Should -Be ('Model {0:0.0} MB of demo:latest' -f 16)
        }

        It 'completes the store with folders alone, in quotes where they need them' {
            Set-Content -LiteralPath (Join-Path $TestDrive 'full.txt') -Value ''
            $null = New-Item -ItemType Directory -Path (Join-Path $TestDrive 'plain')
            Push-Location -LiteralPath $TestDrive
            try {
                (Complete 'Save-ModelBlob -StorePath fu').CompletionText | Should -Be "'$(Join-Path '.' 'full store')'"
                (Complete 'Save-ModelBlob demo ./pl').CompletionText | Should -Be (Join-Path '.' 'plain')
            } finally {
                Pop-Location
            }
        }

        It 'completes nothing from a store that is not there, and makes none' {
            (Complete "Save-ModelBlob -StorePath '$store' -Name ").Count | Should -Be 0
            (Complete "Save-ModelBlob demo '$store' -Digest ").Count | Should -Be 0
            $store | Should -Not -Exist
        }

        It 'completes in a session that has not imported the module' {
            $env:PSMODEL_LINE = "Save-ModelBlob -StorePath '$full' -Name d"
            $before = $env:PSModulePath
            $env:PSModulePath = (Get-StagedModulePath | Split-Path | Split-Path | Split-Path) + [System.IO.Path]::PathSeparator + $before
            try {
                Invoke-OtherPowerShell {
                    (Get-Module).Name -contains 'PSModel'
                    [System.Management.Automation.CommandCompletion]::CompleteInput($env:PSMODEL_LINE, $env:PSMODEL_LINE.Length, $null).CompletionMatches.CompletionText
                } | Should -Be @('False', 'demo:latest')
            } finally {
                $env:PSModulePath = $before
                $env:PSMODEL_LINE = $null
            }
        }
    }
}
